/** Completion for zsh: as a file `_securechat` in a folder of `fpath`, or evaluated after `compinit`. */
import type { CompletedCommand, CompletedOption } from './model.ts';

export function zshScript(commands: readonly CompletedCommand[]): string {
  const described = commands.flatMap(({ names, summary }) =>
    names.map((name) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`),
  );
  return `#compdef securechat
# Completion of securechat for zsh. Made by "securechat completion zsh".
_securechat() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C \\
    '(- *)'{-h,--help}'[show this help]' \\
    '(- *)'{-V,--version}'[print the version]' \\
    '1: :->command' \\
    '*:: :->rest' && return
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _securechat ]]; then
  _securechat "$@"
else
  compdef _securechat securechat
fi
`;
}

function commandCase({ names, words, takesFile, takesFiles, options }: CompletedCommand): string {
  const specs = [
    ...options.map(spec),
    ...(words.length > 0 ? [quoted(`1: :(${words.join(' ')})`)] : []),
    ...(takesFile ? [quoted(`${takesFiles ? '*' : words.length > 0 ? 2 : 1}:file:_files`)] : []),
  ];
  const body = specs.map((each) => `            ${each}`).join(' \\\n');
  return `        ${names.join('|')})\n          _arguments \\\n${body}\n          ;;`;
}

function spec({ name, summary, argument, values, repeatable }: CompletedOption): string {
  const shown = `[${summary.replaceAll(/[\][\\:]/g, '\\$&')}]`;
  if (argument === null) return quoted(`--${name}${shown}`);
  const action = values === 'file' ? '_files' : values === 'anything' ? ' ' : `(${values.join(' ')})`;
  const hint = argument.replaceAll(':', '\\:');
  return quoted(`${repeatable ? '*' : ''}--${name}=${shown}:${hint}:${action}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
