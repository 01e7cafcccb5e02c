import type { CommandOutline } from "./command-outline.ts";

/** Shells that a script can be written for. */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/**
 * A script that completes commands, options, and the arguments that are known beforehand. It holds all of them and starts no process, so
 * a key press costs nothing; it is written anew after an update.
 */
export function writeCompletion(shell: Shell, commands: readonly CommandOutline[]): string {
  switch (shell) {
    case "bash":
      return bashScript(commands);
    case "zsh":
      return zshScript(commands);
    case "fish":
      return fishScript(commands);
  }
}

/** `auth/add`; the program itself is empty. In all three scripts `at` is how far the typed words lead. */
function keyOf({ path }: CommandOutline): string {
  return path.join("/");
}

function known(commands: readonly CommandOutline[]): string[] {
  return commands.map(keyOf).filter((key) => key !== "");
}

function bashScript(commands: readonly CommandOutline[]): string {
  const cases = commands.map((one) => {
    const all = [...one.children, ...(one.values ?? []), ...one.options.map(({ flag }) => flag)];
    return `    "${keyOf(one)}") list="${all.join(" ")}" ;;`;
  });
  return `# bash completion of understudy. To use it now: source <(understudy completion bash)
_understudy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="" next word list=""
  local known=" ${known(commands).join(" ")} "
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    next="\${at:+$at/}$word"
    case "$known" in *" $next "*) at="$next" ;; esac
  done
  case "$at" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$list" -- "$current"))
}
complete -o default -F _understudy understudy
`;
}

function zshScript(commands: readonly CommandOutline[]): string {
  const summaries = new Map(commands.map((one) => [keyOf(one), one.summary]));
  const cases = commands.map((one) => {
    const subs = one.children.map((name) => described(name, summaries.get([...one.path, name].join("/")) ?? ""));
    const opts = one.options.map(({ flag, summary }) => described(flag, summary));
    const vals = (one.values ?? []).map(quoted);
    return `    (${quoted(keyOf(one))}) subs=(${subs.join(" ")}) opts=(${opts.join(" ")}) vals=(${vals.join(" ")}) ;;`;
  });
  return `#compdef understudy
# zsh completion of understudy. To use it now: source <(understudy completion zsh)
_understudy() {
  local at= next word
  local -a known subs opts vals
  known=(${known(commands).map(quoted).join(" ")})
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -* ]] && continue
    next=\${at:+$at/}$word
    (( \${known[(Ie)$next]} )) && at=$next
  done
  case $at in
${cases.join("\n")}
  esac
  (( $#subs )) && _describe command subs
  (( $#vals )) && compadd -a vals
  [[ $PREFIX == -* ]] && _describe option opts
  (( $#subs + $#vals )) || _files
}
# From a folder of $fpath this whole file is the function, called for the first time just now.
if [[ $funcstack[1] == _understudy ]]; then
  _understudy "$@"
elif (( $+functions[compdef] )); then
  compdef _understudy understudy
fi
`;
}

function fishScript(commands: readonly CommandOutline[]): string {
  const summaries = new Map(commands.map((one) => [keyOf(one), one.summary]));
  const lines = commands.flatMap((one) => {
    const when = `complete -c understudy -n 'test (__understudy_at) = /${keyOf(one)}'`;
    const name = (text: string, summary: string): string => `${when} -a ${quoted(text)} -d ${quoted(summary)}`;
    return [
      ...one.children.map((child) => name(child, summaries.get([...one.path, child].join("/")) ?? "")),
      ...(one.values ?? []).map((value) => name(value, "")),
      ...one.options.map(
        ({ flag, summary, takesValue }) =>
          `${when} -l ${flag.replace(/^--/, "")}${takesValue ? " -r" : ""} -d ${quoted(summary)}`,
      ),
    ];
  });
  return `# fish completion of understudy. To keep it: understudy completion fish > ~/.config/fish/completions/understudy.fish
function __understudy_at
  set -l known ${known(commands).join(" ")}
  set -l at
  set -l typed (commandline -opc)
  set -e typed[1]
  for word in $typed
    string match -q -- '-*' $word; and continue
    set -l next (string join / $at $word)
    contains -- $next $known; and set at $next
  end
  echo "/$at"
end
complete -c understudy -f
${lines.join("\n")}
`;
}

/** A word with its description, as zsh's _describe wants it. */
function described(word: string, summary: string): string {
  return quoted(`${word.replaceAll(":", "\\:")}:${summary}`);
}

/** In single quotes, for all three shells: what stands there is our own help text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
