/**
 * Where a host can be reached, as text that a person types and an invitation carries.
 */
import { InputError } from '../protocol/errors.ts';

export interface Address {
  /** IPv4, IPv6 without brackets, or a DNS name; always in its one canonical spelling. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const NAME_CHARACTERS_MOST = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** @returns the canonical spelling, or `null` when the text is no address and no DNS name. */
export function canonicalHost(text: string): string | null {
  if (text.includes(':')) {
    // A URL's host is the one IPv6 parser at hand that needs no import of a network module.
    if (!/^[0-9A-Fa-f:.]+$/.test(text) || !URL.canParse(`http://[${text}]`)) return null;
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  }
  const name = text.toLowerCase();
  const labels = name.split('.');
  if (name.length > NAME_CHARACTERS_MOST || !labels.every((label) => LABEL.test(label))) return null;
  // A name whose last label is a number is an IPv4 address, or a mistyped one.
  if (!/^\d+$/.test(labels.at(-1) ?? '')) return name;
  const isIpv4 =
    labels.length === 4 && labels.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return isIpv4 ? name : null;
}

/**
 * Reads `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`, `name` or `name:80`.
 *
 * @param defaultPort for a text without one.
 * @throws InputError `address-invalid` or `port-invalid`.
 */
export function parseAddress(text: string, defaultPort: number): Address {
  const { hostText, portText } = splitAddress(text.trim());
  const host = hostText === undefined ? null : canonicalHost(hostText);
  if (host === null) {
    throw new InputError(
      'address-invalid',
      'not an address: write 192.0.2.1:8888, [2001:db8::1]:8888 or name:8888',
    );
  }
  const port = portText === undefined ? defaultPort : Number(portText);
  if (!isPort(port) || (portText !== undefined && !/^\d+$/.test(portText))) {
    throw new InputError('port-invalid', 'a port is a number from 1 to 65535');
  }
  return { host, port };
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** The form {@link parseAddress} reads back: `host:port`, IPv6 in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function splitAddress(text: string): { hostText?: string | undefined; portText?: string | undefined } {
  if (text.split(':').length > 2 && !text.startsWith('[')) return { hostText: text };
  const match = /^(?:\[([^\]]+:[^\]]*)\]|([^:[\]]+))(?::([^/]*))?$/.exec(text);
  return { hostText: match?.[1] ?? match?.[2], portText: match?.[3] };
}
