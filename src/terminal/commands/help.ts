/** `/help`, made from the table of commands. */
import { type Audience, type Command, mayGive, SECTIONS, usageLine } from './command.ts';
import { COMMANDS } from './table.ts';

/**
 * @param viewer is shown the commands that they may give
 * @returns a heading a section and one line a command, names in one column
 */
export function helpLines(viewer: Audience): readonly string[] {
  const shown = COMMANDS.filter((entry) => mayGive(entry, viewer));
  const nameColumns = Math.max(...shown.map((entry) => entry.name.length)) + 1;
  const lines = SECTIONS.flatMap((section) => {
    const entries = shown.filter((entry) => entry.section === section);
    const rows = entries.map((entry) => `  /${entry.name.padEnd(nameColumns)} ${entry.summary}`);
    return rows.length === 0 ? [] : [section, ...rows];
  });
  return [...lines, '//text sends a text that begins with a slash; /help COMMAND explains one.'];
}

/** `/help COMMAND`: usage, what it does, other names. */
export function helpTopicLines(entry: Command): readonly string[] {
  const also =
    entry.aliases.length > 0 ? [`  Also: ${entry.aliases.map((name) => `/${name}`).join(', ')}`] : [];
  const details = entry.details === '' ? [] : [`  ${entry.details}`];
  const whom = { everyone: [], moderators: ['  For moderators and the host.'], host: ['  For the host.'] };
  return [usageLine(entry), `  ${entry.summary}`, ...details, ...also, ...whom[entry.for]];
}
