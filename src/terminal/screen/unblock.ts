/** Letting the program go on while its terminal takes nothing. */

/**
 * Node writes to terminals in such a way that it stands still until they have taken everything. A window being dragged, a
 * stopped tmux or a line that hangs would so stop the room of a host. Here writes wait in the stream instead, which says
 * so, and the screen holds back.
 *
 * The handle is not part of Node's documented interface: where it is missing or other than expected, nothing changes.
 * Not on Windows, whose consoles only know writes that wait.
 */
export function letWritesWait(output: object): void {
  if (process.platform === 'win32') return;
  const handle: unknown = Reflect.get(output, '_handle');
  if (typeof handle !== 'object' || handle === null || !('setBlocking' in handle)) return;
  const { setBlocking } = handle;
  if (typeof setBlocking === 'function') setBlocking.call(handle, false);
}
