import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

export const root: string = resolve(import.meta.dirname, "../..");

/** A fenced block of a page. */
export interface Snippet {
  /** `docs/guides/codex-cli.md:12` */
  readonly at: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** The pages that a person reads: the README, what one writes to take part, and everything in docs/. */
export const pages: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => relative(root, join(root, "docs", name))),
].sort();

export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export const snippets: readonly Snippet[] = pages.flatMap((page) => {
  const found: Snippet[] = [];
  let open: { language: string; line: number; text: string[] } | null = null;
  for (const [i, line] of readPage(page).split("\n").entries()) {
    const fence = /^```(\S*)/.exec(line);
    if (fence === null) open?.text.push(line);
    else if (open === null) open = { language: fence[1] ?? "", line: i + 1, text: [] };
    else {
      found.push({ at: `${page}:${open.line}`, page, language: open.language, text: `${open.text.join("\n")}\n` });
      open = null;
    }
  }
  if (open !== null) throw new Error(`${page}:${open.line}: a block that does not end`);
  return found;
});

export function snippetsIn(...languages: readonly string[]): Snippet[] {
  return snippets.filter(({ language }) => languages.includes(language));
}
