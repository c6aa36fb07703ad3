/** Where files lie that wait for members of a kept room. */

/** @param roomFile of the room @returns the folder beside it, `NAME.files` */
export function depositFolder(roomFile: string): string {
  return `${roomFile.replace(/\.room$/, '')}.files`;
}
