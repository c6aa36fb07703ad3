/** What lies inside a ciphertext. The host cannot tell one kind from another. */
import { codec, type Decoded, field } from './codec.ts';

export const CONTENT_KIND = { text: 1, emote: 2 } as const;
export type ContentKind = keyof typeof CONTENT_KIND;

export const Content = codec(
  'message content',
  field.struct({ kind: field.oneOf(CONTENT_KIND), text: field.text }),
);
export type Content = Decoded<typeof Content>;
