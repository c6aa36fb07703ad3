/** From a file that has come to what is printed of it. */
import type { Bytes } from '../../protocol/bytes.ts';
import { pictureLine, pictureRoom, pictureRows } from '../../terminal/picture/entry.ts';
import type { PictureProtocol } from '../../terminal/picture/protocol.ts';
import { pixelsMost } from '../../terminal/picture/size.ts';
import type { RenderView } from '../../terminal/view/entry.ts';
import { readRegularAtMost } from '../bounded-file.ts';
import {
  isPicture,
  PICTURE_BYTES_MOST,
  readPictureHeader,
  SIGNATURE_BYTES,
} from '../pictures/picture-header.ts';
import { PictureThread } from '../pictures/picture-thread.ts';

interface Window {
  readonly view: RenderView;
  readonly screenRows: number;
}

export class PictureViewer {
  readonly #protocol: PictureProtocol;
  readonly #thread = new PictureThread();

  constructor(protocol: PictureProtocol) {
    this.#protocol = protocol;
  }

  /**
   * @param window as it is now: another one after the picture is decoded
   * @returns a line that names it, then the picture where it can be drawn; nothing for what is no picture
   */
  async lines(path: string, name: string, window: () => Window): Promise<readonly string[]> {
    const bytes = await readFile(path);
    const header = bytes === null ? null : readPictureHeader(bytes);
    if (bytes === null || header === null) return [];
    const { view, screenRows } = window();
    const room = pictureRoom(view, screenRows);
    if (this.#protocol === 'none' || room === null) return pictureLine(name, header, view);
    const picture = await this.#thread.decode(bytes, pixelsMost(room, this.#protocol));
    if (picture === null) return [];
    const now = window();
    return [
      ...pictureLine(name, picture, now.view),
      ...pictureRows(picture.bitmap, this.#protocol, now.view, now.screenRows),
    ];
  }

  async end(): Promise<void> {
    await this.#thread.end();
  }
}

/** @returns null where it cannot be read: that it came is told elsewhere */
async function readFile(path: string): Promise<Bytes | null> {
  try {
    // Most files are none, and as large as they may be.
    const start = await readRegularAtMost(path, SIGNATURE_BYTES);
    return isPicture(start) ? await readRegularAtMost(path, PICTURE_BYTES_MOST + 1) : null;
  } catch {
    return null;
  }
}
