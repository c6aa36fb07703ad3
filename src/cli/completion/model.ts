/** What can be completed, from the tables. */
import { ALL_COMMANDS, type CommandEntry } from '../commands.ts';
import { type OptionEntry, optionsOf } from '../option-entries.ts';

export interface CompletedOption {
  /** Without the dashes. */
  readonly name: string;
  readonly summary: string;
  /** What is typed after it, for a hint; `null`: nothing. */
  readonly argument: string | null;
  /** Words to choose from, a file's name, or something that only the person knows. */
  readonly values: readonly string[] | 'file' | 'anything';
  readonly repeatable: boolean;
}

export interface CompletedCommand {
  /** Its name and its aliases. */
  readonly names: readonly string[];
  readonly summary: string;
  /** What may follow it and is no option. */
  readonly words: readonly string[];
  /** After one of these words comes a file's name; where there are none, after the command. */
  readonly takesFile: boolean;
  /** Several of them. */
  readonly takesFiles: boolean;
  readonly options: readonly CompletedOption[];
}

export function completedCommands(): readonly CompletedCommand[] {
  return ALL_COMMANDS.map(completed);
}

function completed({
  name,
  aliases,
  summary,
  arguments: taken,
  switches,
  settings,
}: CommandEntry): CompletedCommand {
  const bare = (option: CommandEntry['switches'][number]): CompletedOption => ({
    name: option.name,
    summary: option.summary,
    argument: option.argument ?? null,
    values: option.argument === undefined ? [] : 'anything',
    repeatable: false,
  });
  const options = [
    ...switches.map(bare),
    ...settings.flatMap(optionsOf).flatMap((option) => (option.hidden ? [] : [valued(option)])),
    bare({ name: 'help', summary: 'show this help' }),
  ];
  return {
    names: [name, ...aliases],
    summary,
    words: taken.flatMap(({ values }) => (typeof values === 'string' ? [] : values)),
    takesFile: taken.some(({ values }) => values === 'file'),
    takesFiles: taken.some(({ values, isRepeated }) => values === 'file' && isRepeated === true),
    options: options.filter(
      (option, index) => index === options.findIndex((each) => each.name === option.name),
    ),
  };
}

function valued({ name, argument, summary, setting }: OptionEntry): CompletedOption {
  const { form } = setting;
  return {
    name,
    // Choices and defaults would be said twice.
    summary: argument === null ? summary : setting.summary,
    argument,
    values: form.kind === 'choice' ? form.choices : form.kind === 'file' ? 'file' : 'anything',
    repeatable: form.kind === 'list',
  };
}
