/** What the chunks of a file are bound to: elsewhere, or as another file, they do not open. @see docs/protocol.md#files */
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import type { RoomId } from '../protocol/identifiers.ts';

const LABEL = utf8.encode('sc1/file');

/** @param fileId 16 bytes */
export function fileContext(roomId: RoomId, fileId: Bytes): Bytes {
  return concatBytes(LABEL, roomId, fileId);
}
