/** Completion for fish. */
import type { CompletedCommand, CompletedOption } from './model.ts';

export function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = [
    '# Completion of securechat for fish. Made by "securechat completion fish".',
    'complete -c securechat -f',
    'complete -c securechat -n __fish_use_subcommand -s h -l help -d "show this help"',
    'complete -c securechat -n __fish_use_subcommand -s V -l version -d "print the version"',
    ...commands.flatMap(commandLines),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines({ names, summary, words, takesFile, options }: CompletedCommand): readonly string[] {
  const after = `__fish_seen_subcommand_from ${names.join(' ')}`;
  const behindWord = `__fish_seen_subcommand_from ${words.join(' ')}`;
  const inside = `complete -c securechat -n '${after}'`;
  return [
    `complete -c securechat -n __fish_use_subcommand -a '${names.join(' ')}' -d ${quoted(summary)}`,
    ...(words.length > 0 && !takesFile ? [`${inside} -a '${words.join(' ')}'`] : []),
    ...(takesFile && words.length === 0 ? [`${inside} -F`] : []),
    ...(takesFile && words.length > 0
      ? [
          `complete -c securechat -n '${after}; and not ${behindWord}' -a '${words.join(' ')}'`,
          `complete -c securechat -n '${after}; and ${behindWord}' -F`,
        ]
      : []),
    ...options.map((option) => `${inside} -l ${option.name}${valuesOf(option)} -d ${quoted(option.summary)}`),
  ];
}

function valuesOf({ argument, values }: CompletedOption): string {
  if (argument === null) return '';
  if (values === 'file') return ' -r -F';
  return values === 'anything' ? ' -x' : ` -x -a '${values.join(' ')}'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
