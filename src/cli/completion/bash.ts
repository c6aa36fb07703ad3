/** Completion for bash 3.2 and later, without the package bash-completion. */
import type { CompletedCommand, CompletedOption } from './model.ts';

export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# Completion of securechat for bash. Made by "securechat completion bash".
_securechat() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  # bash takes --name=value apart into three words.
  [[ $current == = ]] && current=
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD - 2]}
  if ((COMP_CWORD == 1)); then
    words='${[...commands.flatMap(({ names }) => names), '--help', '--version'].join(' ')}'
  else
    case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_securechat_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$1"))
}
complete -F _securechat securechat
`;
}

function commandCase({ names, words, takesFile, takesFiles, options }: CompletedCommand): string {
  const all = [...words, ...options.map(({ name }) => `--${name}`)].join(' ');
  const lines = [
    ...caseOf(options, ({ values }) => values === 'file', '_securechat_files "$current"; return'),
    ...caseOf(options, ({ values, argument }) => values === 'anything' && argument !== null, 'return'),
    ...options.flatMap(({ name, values }) =>
      typeof values === 'string' || values.length === 0 ? [] : [`--${name}) words='${values.join(' ')}' ;;`],
    ),
    ...(takesFile && words.length > 0
      ? [`${words.join(' | ')}) _securechat_files "$current"; return ;;`]
      : []),
    // Behind the command itself, where options may come first.
    ...(takesFile && words.length === 0
      ? [
          `${takesFiles ? '*' : names.join(' | ')}) [[ $current != -* ]] && { _securechat_files "$current"; return; }; words='${all}' ;;`,
        ]
      : []),
    ...(takesFiles && words.length === 0 ? [] : [`*) words='${all}' ;;`]),
  ];
  const body = lines.map((line) => `          ${line}`).join('\n');
  return `      ${names.join(' | ')})\n        case $previous in\n${body}\n        esac\n        ;;`;
}

/** @returns one line for all options of a kind, none where there is no such option. */
function caseOf(
  options: readonly CompletedOption[],
  belongs: (option: CompletedOption) => boolean,
  then: string,
): readonly string[] {
  const names = options.filter(belongs).map(({ name }) => `--${name}`);
  return names.length === 0 ? [] : [`${names.join(' | ')}) ${then} ;;`];
}
