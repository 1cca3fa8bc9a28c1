export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The script that completes `streamforge` in a shell.
 * @param words what may follow each path of commands, such as `dlq retry`
 */
export function completionScript(shell: Shell, words: ReadonlyMap<string, readonly string[]>): string {
  if (shell === 'fish') return fish(words);
  return shell === 'bash'
    ? bash(words)
    : `#compdef streamforge\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

/** The path is that of the words before the cursor which are no options. Values of options are not known to it. */
function bash(words: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...words].map(([path, next]) => `    '${path}') words='${next.join(' ')}' ;;`);
  return `_streamforge() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    case " ${[...words.keys()].filter(Boolean).join('; ')}; " in *" \${path:+$path }$word"[\\;\\ ]*) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _streamforge streamforge`;
}

function fish(words: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...words].flatMap(([path, next]) => {
    const commands = next.filter((word) => !word.startsWith('-'));
    const options = next.filter((word) => word.startsWith('--'));
    const seen = path === '' ? [] : path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
    const none = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(' ')}`];
    const when = (parts: string[]): string => (parts.length === 0 ? '' : ` -n '${parts.join('; and ')}'`);
    return [
      ...(commands.length === 0
        ? []
        : [`complete -c streamforge -f${when([...seen, ...none])} -a '${commands.join(' ')}'`]),
      ...options.map((option) => `complete -c streamforge${when(seen)} -l ${option.slice(2)}`),
    ];
  });
  return lines.join('\n');
}
