/** The protocol's version and what this build can do beyond its base. @see docs/protocol.md#versions */

/** An unequal major version closes the connection with a reason that both sides can show. */
export const PROTOCOL_VERSION = 1;

/** RSA-3072 or DSA signatures, RSA-OAEP with ML-KEM-768 wraps, AES-256-GCM, SHA-256. There is one suite. */
export const SUITE = 1;

/** Optional abilities by number. What one side does not name is not used with it; version 1.0 has none. */
export const FEATURES: readonly number[] = [];
