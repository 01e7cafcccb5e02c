import { pages, readPage, snippetsIn } from "./read-docs.ts";

/** One call of the program in a page. */
export interface DocumentedCall {
  readonly at: string;
  /** Words behind `understudy`. */
  readonly words: readonly string[];
}

/**
 * The calls of `understudy` in a script: at the beginning of a command, also inside `$(…)`, behind pipes, `&&`, variables and `npx`. Quotes
 * hold a word together, comments end a line; nothing is expanded.
 */
export function callsIn(script: string): string[][] {
  const lines = script.replaceAll(/\\\n/g, " ").split("\n");
  return lines.flatMap((line) =>
    commandsOf(line)
      .map(callOf)
      .filter((words) => words !== null),
  );
}

/** In scripts, behind the prompts of what a terminal shows, and in the midst of a sentence (there `…` stands for anything). */
export function documentedCalls(): DocumentedCall[] {
  const shown = snippetsIn("console").map(({ at, text }) => ({
    at,
    text: text.replaceAll(/^(?!\$ ).*$/gm, "").replaceAll(/^\$ /gm, ""),
  }));
  const inline = pages.flatMap((page) =>
    [...readPage(page).matchAll(/`((?:npx )?understudy [^`\n]+)`/g)].map(([, text = ""]) => ({ at: page, text })),
  );
  const calls = [...snippetsIn("sh"), ...shown, ...inline].flatMap(({ at, text }) =>
    callsIn(text).map((words) => ({ at, words })),
  );
  return calls.filter(({ words }) => !words.some((word) => /[…<]/.test(word)));
}

/** The commands of a line, each as its words. What stands in `$(…)` is a command of its own, besides. */
function commandsOf(line: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  const endWord = (): void => {
    if (word !== null) words.push(word);
    word = null;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let i = 0; i < line.length; i += 1) {
    const char = line[i] ?? "";
    if (quote !== "'" && line.startsWith("$(", i)) {
      const end = closing(line, i + 1);
      commands.push(...commandsOf(line.slice(i + 2, end)));
      word = `${word ?? ""}…`;
      i = end;
    } else if (quote !== null) {
      if (char === quote) quote = null;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (char === "#" && word === null) break;
    else if (/\s/.test(char)) endWord();
    else if (/[|;&]/.test(char)) endCommand();
    else word = (word ?? "") + char;
  }
  endCommand();
  return commands;
}

function closing(line: string, open: number): number {
  let depth = 0;
  for (let i = open; i < line.length; i += 1) {
    if (line[i] === "(") depth += 1;
    if (line[i] === ")") depth -= 1;
    if (depth === 0) return i;
  }
  return line.length;
}

/** The words behind `understudy`, if the command calls it. */
function callOf(words: readonly string[]): string[] | null {
  let rest = words.filter(
    (word, i) => !(/^[A-Z_]+=/.test(word) && words.slice(0, i).every((one) => /^[A-Z_]+=/.test(one))),
  );
  if (rest[0] === "podman" && rest[1] === "exec") rest = rest.slice(3);
  if (rest[0] === "npx") rest = rest.slice(1);
  return rest[0] === "understudy" ? rest.slice(1).filter((word) => !/^[<>]/.test(word)) : null;
}
