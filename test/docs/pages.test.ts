import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/parse.ts";
import { clientSettings } from "../../src/gateway/client-settings.ts";
import { pages, readPage, root, snippets, snippetsIn } from "./read-docs.ts";

describe("the pages", () => {
  it("say of every block in which language it is", () => {
    const known = ["sh", "console", "ts", "yaml", "yml", "json", "toml", "text"];
    const strange = snippets.filter(({ language }) => !known.includes(language));
    // Pictures in letters have no language.
    expect(strange.filter(({ language }) => language !== "").map(({ at, language }) => `${at} ${language}`)).toEqual(
      [],
    );
    expect(new Set(strange.map(({ page }) => page))).toEqual(new Set(strange.length === 0 ? [] : pagesWithPictures));
  });

  it("link to what is there", () => {
    const dead = pages.flatMap((page) =>
      [
        ...readPage(page)
          .replaceAll(/(`+)[^`].*?\1/g, "")
          .matchAll(/\]\(([^)\s]+)\)/g),
      ].flatMap(([, link = ""]) => {
        if (/^(?:https?:|mailto:)/.test(link)) return [];
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? page : join(dirname(page), path);
        if (!existsSync(join(root, target))) return [`${page}: ${link}`];
        return anchor === undefined || !target.endsWith(".md") || anchorsOf(target).has(anchor)
          ? []
          : [`${page}: ${link}`];
      }),
    );
    expect(dead).toEqual([]);
  });

  it("show configurations that are in order", () => {
    const wrong = snippetsIn("yaml").flatMap(({ at, text }) => {
      const parsed = parseConfig(text, at);
      return parsed.ok ? [] : parsed.problems.map(({ message }) => message);
    });
    expect(wrong).toEqual([]);
    expect(snippetsIn("yaml").length).toBeGreaterThan(8);
    for (const { at, text } of snippetsIn("yml")) expect(() => parse(text) as unknown, at).not.toThrow();
    for (const { at, text } of snippetsIn("json")) expect(() => JSON.parse(text) as unknown, at).not.toThrow();
  });

  it.each([
    ["codex", "docs/guides/codex-cli.md", "responses"],
    ["claude", "docs/guides/claude-code.md", "messages"],
    ["opencode", "docs/guides/opencode.md", "responses"],
  ] as const)("show the settings of %s as `understudy run --print` prints them", (client, page, dialect) => {
    const input = { url: "http://127.0.0.1:4141", clientKey: "", model: "coding", dialect };
    const shown = readPage(page);
    const missing = clientSettings(client, input).written.filter(
      (line) => line !== "" && !/^# (?:in the shell|opencode\.json)$/.test(line) && !shown.includes(line),
    );
    expect(missing).toEqual([]);
  });

  it("name files of the tests and the sources that are there", () => {
    const missing = ["docs/security.md", "docs/architecture.md", "README.md"].flatMap((page) =>
      [
        ...readPage(page).matchAll(
          /`((?:src|test|scripts|deploy|examples)\/[\w./-]+|(?:core|stores|credentials|oauth|turn|gateway|failures|providers|config|telemetry|transport)\/[\w./-]*)`/g,
        ),
      ].flatMap(([, path = ""]) =>
        existsSync(join(root, path)) || existsSync(join(root, "src", path)) ? [] : [`${page}: ${path}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  it("list every event of a turn", () => {
    const types = [...readFileSync(join(root, "src/core/events.ts"), "utf8").matchAll(/readonly type: "([\w-]+)"/g)];
    expect(types.length).toBeGreaterThan(8);
    const shown = readPage("docs/guides/library.md");
    for (const [, type = ""] of types) expect(shown, type).toContain(`| \`${type}\` |`);
  });
});

/** Blocks without a language are pictures in letters. */
const pagesWithPictures = ["docs/architecture.md"];

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = readPage(page).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}
