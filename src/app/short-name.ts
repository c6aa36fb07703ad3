/** Words that are given on the command line and name files in a folder: of rooms that are kept, and of rooms that are saved. */

/** Devices to Windows, whatever follows them. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/;

/** Whether every system takes a file of this name. */
export function canNameFile(name: string): boolean {
  return name !== '' && !DEVICES.test(name);
}

/** @returns `our-kuche` for "Our  Küche!", without what others chose to put into it; `room` where nothing is left */
export function shortNameOf(roomName: string, charactersMost: number): string {
  const name = roomName
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, charactersMost)
    .replace(/-$/, '');
  return canNameFile(name) ? name : 'room';
}
