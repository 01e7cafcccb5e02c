import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  isAlias,
  type Document,
  type YAMLError,
} from "yaml";
import type { Provider } from "../providers/provider.ts";
import { builtInProviders } from "../providers/registry.ts";
import { checkConfig } from "./check.ts";
import { type ConfigIssue, type ConfigProblem, toProblem } from "./problem.ts";
import type { Config } from "./schema.ts";

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** A configuration longer than this is refused unread, in characters. */
export const longestConfig: number = 1024 * 1024;

/**
 * Reads a configuration: YAML 1.2, and so JSON as well. Empty text is the default configuration. Never throws, for any
 * text; each problem has its line, in the order of the file. `fileName` is for the messages only.
 */
export function parseConfig(
  text: string,
  fileName: string,
  builtIns: readonly Provider[] = builtInProviders,
): ParsedConfig {
  const problem = (
    issue: Partial<ConfigIssue> & { expected: string },
    offset: number,
    lines: LineCounter,
  ): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    const whole = { path: [], atKey: false, value: "the file", suggestion: null, ...issue };
    return toProblem(whole, fileName, Math.max(line, 1), Math.max(col, 1));
  };
  const lines = new LineCounter();
  if (text.length > longestConfig) {
    return { ok: false, problems: [problem({ expected: `at most ${longestConfig} characters` }, 0, lines)] };
  }
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
    const faults: readonly YAMLError[] = [...document.errors, ...document.warnings];
    if (faults.length > 0) {
      return {
        ok: false,
        // The code alone: the message may quote the file, and what stands there may be a key.
        problems: faults.map(({ code, pos }) =>
          problem({ value: wordsOf(code), expected: "valid YAML" }, pos[0], lines),
        ),
      };
    }
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    // Too deep for the parser, an alias without its anchor, or one that unfolds without end.
    return { ok: false, problems: [problem({ expected: "YAML without endless nesting or loose aliases" }, 0, lines)] };
  }
  const proto = findProtoKey(document);
  if (proto !== null) {
    return { ok: false, problems: [problem({ value: '"__proto__"', expected: "another name" }, proto, lines)] };
  }
  const checked = checkConfig(value, builtIns);
  if (checked.ok) return checked;
  const problems = checked.issues
    .map((issue) => problem(issue, offsetOf(document, issue), lines))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems };
}

/** `DUPLICATE_KEY` → `duplicate key`. */
function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll("_", " ");
}

/** Where an issue is: at its key or its value; for what is missing, at the key of the map that lacks it. */
function offsetOf(document: Document.Parsed, issue: ConfigIssue): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  let holder = offset;
  for (const part of issue.path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(part));
      if (pair === undefined) return holder;
      holder = startOf(pair.key) ?? offset;
      node = pair.value;
      // An empty value has a place but nothing to see there: point at its key.
      const isEmpty = isScalar(node) && node.value === null;
      offset = isEmpty ? holder : (startOf(node) ?? holder);
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
      holder = offset;
    } else return offset;
  }
  return issue.atKey ? holder : offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** The place of a key that JavaScript would take for something else, and that would vanish unseen. */
function findProtoKey(document: Document.Parsed): number | null {
  let found: number | null = null;
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && key.value === "__proto__") {
        found = startOf(key) ?? 0;
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}
