/** How long after a frame it counts as talk: a busy room has the next one by then. */
const TALK_MS = 250;

let latestMs = Number.NEGATIVE_INFINITY;

/** Frames have come on a connection of this program that carries no bare stream. */
export function noteTalk(): void {
  latestMs = performance.now();
}

/** Others talk beside the bare streams of this program: then these give way. To nobody it would cost them a tenth of their CPU. */
export function isTalkBeside(nowMs: number = performance.now()): boolean {
  return nowMs - latestMs < TALK_MS;
}
