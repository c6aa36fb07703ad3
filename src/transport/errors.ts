/** The door cannot be opened; the message says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'port-taken' | 'port-forbidden' | 'bad-address' | 'listen-failed';

  constructor(code: ListenError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** No host answered as one; the message lists each address and what happened there. */
export class DialError extends Error {
  override readonly name = 'DialError';
  /** `not-securechat`: something answered, and it does not speak this protocol. */
  readonly code: 'unreachable' | 'not-securechat';

  constructor(code: DialError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
