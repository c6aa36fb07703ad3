/**
 * The notation of docs/protocol.md, understood without the code it describes: from a layout it writes bytes, so that a
 * structure of the code can be asked whether it reads them.
 */
import { type Bytes, concatBytes, u32, u64, utf8 } from '../../src/protocol/bytes.ts';

export type Value = number | boolean | string | Bytes | readonly Value[] | { readonly [name: string]: Value };

export interface Sample {
  readonly value: Value;
  readonly bytes: Bytes;
}

export class LayoutLanguage {
  readonly #layouts: ReadonlyMap<string, string>;
  readonly #tables: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Grows with each value made, so that no two fields can be taken for each other. */
  #next = 1;

  constructor(
    layouts: ReadonlyMap<string, string>,
    tables: ReadonlyMap<string, ReadonlyMap<string, number>>,
  ) {
    this.#layouts = layouts;
    this.#tables = tables;
  }

  /** A value of a structure and the bytes that the document says it has. Lists have `listLength` elements, or their most. */
  sample(name: string, listLength: number): Sample {
    const value: Record<string, Value> = {};
    const parts: Bytes[] = [];
    for (const [field, type] of this.fields(name)) {
      const made = this.#make(type, listLength);
      value[field] = made.value;
      parts.push(made.bytes);
    }
    return { value, bytes: concatBytes(...parts) };
  }

  /** A list of exactly `count` elements, with its count before it; anything else as it is. */
  list(type: string, count: number): Bytes {
    return (type.startsWith('list') ? this.#makeList(type, count, count) : this.#make(type, count)).bytes;
  }

  /** Field names with their types. @throws Error when the document has no such layout */
  fields(name: string): readonly (readonly [string, string])[] {
    const layout = this.#layouts.get(name);
    if (layout === undefined) throw new Error(`no layout for ${name}`);
    return [...layout.matchAll(/(\w+):(\S+)/g)].map(([, field = '', type = '']) => [field, type] as const);
  }

  #number(): number {
    this.#next = (this.#next * 7 + 3) % 251;
    return this.#next;
  }

  #bytes(length: number): Bytes {
    return Uint8Array.from({ length }, () => this.#number());
  }

  #makeList(type: string, length: number, listLength: number): Sample {
    const [, bits, inner = ''] = /^list(8|16|32)<([^,]+),\d+>$/.exec(type) ?? [];
    const items = Array.from({ length }, () => this.#make(inner, listLength));
    return {
      value: items.map((item) => item.value),
      bytes: concatBytes(count(bits, items.length), ...items.map((item) => item.bytes)),
    };
  }

  #make(type: string, listLength: number): Sample {
    const fixed = /^\[(\d+)\]$/.exec(type);
    if (fixed !== null) return same(this.#bytes(Number(fixed[1])));
    const most = Number(/^list\d+<[^,]+,(\d+)>$/.exec(type)?.[1]);
    if (!Number.isNaN(most)) return this.#makeList(type, Math.min(listLength, most), listLength);
    const table = this.#tables.get(type);
    if (table !== undefined) {
      const entries = [...table];
      const [name, number] = entries[this.#number() % entries.length] ?? ['', 0];
      return { value: name, bytes: Uint8Array.of(number) };
    }
    switch (type) {
      case 'u8': {
        const value = this.#number();
        return { value, bytes: Uint8Array.of(value) };
      }
      case 'u16': {
        const value = this.#number() * 257;
        return { value, bytes: count('16', value) };
      }
      case 'u32': {
        const value = this.#number() * 16_777_259;
        return { value, bytes: u32(value) };
      }
      case 'u64': {
        const value = this.#number() * 2 ** 44 + this.#number();
        return { value, bytes: u64(value) };
      }
      case 'bool': {
        const value = this.#number() % 2 === 1;
        return { value, bytes: Uint8Array.of(value ? 1 : 0) };
      }
      case 'rest':
        return same(this.#bytes(5));
      case 'bytes8':
      case 'bytes16': {
        const value = this.#bytes(3 + (this.#number() % 9));
        return { value, bytes: concatBytes(count(type.slice(5), value.length), value) };
      }
      case 'text8':
      case 'text16': {
        const value = `é${this.#number()}`;
        const bytes = utf8.encode(value);
        return { value, bytes: concatBytes(count(type.slice(4), bytes.length), bytes) };
      }
      case 'member-id':
        return this.#make('[16]', listLength);
      default:
        return this.sample(type, listLength);
    }
  }
}

function same(bytes: Bytes): Sample {
  return { value: bytes, bytes };
}

function count(bits: string | undefined, value: number): Bytes {
  if (bits === '32') return u32(value);
  return bits === '8' ? Uint8Array.of(value) : Uint8Array.of(value >> 8, value & 0xff);
}
