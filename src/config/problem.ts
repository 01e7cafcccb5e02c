import { UnderstudyError } from "../core/error.ts";

/** Something wrong at a place of the configuration, before it is known which line that is. */
export interface ConfigIssue {
  readonly path: readonly (string | number)[];
  /** The key itself is wrong, not its value. */
  readonly atKey: boolean;
  /** The value as it may be shown (see `showValue`); null when there is none. */
  readonly value: string | null;
  /** Follows "expected". */
  readonly expected: string;
  /** `did you mean …?`, or null. */
  readonly suggestion: string | null;
}

/** The same with its place in the file. `line` and `column` count from 1. */
export interface ConfigProblem extends Omit<ConfigIssue, "path" | "atKey"> {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `routes.coding[1]`; empty for the file as a whole. */
  readonly path: string;
  /** One line that says all of it. */
  readonly message: string;
}

/** `["routes", "coding", 1]` → `routes.coding[1]`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!isHarmless(part)) text += `[a key of ${part.length} characters]`;
    else if (/^[\w-]+$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** Below these keys a text is never shown: it may be a key that was put in the wrong place. */
const hiddenBelow = new Set<string | number>(["apiKeyEnv", "headers"]);

/**
 * A value as it may stand in an error: short, on one line, and nothing that may be a secret (rule R8). Null when there
 * is no value.
 */
export function showValue(value: unknown, path: readonly (string | number)[]): string | null {
  if (value === undefined) return null;
  if (value === null) return "nothing";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return Array.isArray(value) ? "a list" : "a map";
  const hidden = path.some((part) => hiddenBelow.has(part)) || !isHarmless(value);
  return hidden ? `a text of ${value.length} characters (not shown)` : JSON.stringify(value);
}

/**
 * Certainly no secret: at most 60 characters on one line, no password in a URL, none of the usual beginnings of keys,
 * and no run of 20 or more characters that mixes digits with letters, as keys do.
 */
function isHarmless(text: string): boolean {
  if (text.length > 60 || /\p{Cc}/u.test(text) || /\/\/[^/]*@/.test(text)) return false;
  if (/(^|[^A-Za-z])((sk|pk|rk|xai|nvapi)-|(gh[opsu]|github_pat|hf|gsk)_|eyJ|AIza|AKIA|Bearer )/.test(text))
    return false;
  return !text.split(/[^A-Za-z0-9]/).some((run) => run.length >= 20 && /\d/.test(run) && /[A-Za-z]/.test(run));
}

/** Puts an issue at its place. */
export function toProblem(issue: ConfigIssue, file: string, line: number, column: number): ConfigProblem {
  const path = formatPath(issue.path);
  const { value, expected, suggestion } = issue;
  const what = issue.atKey ? "can't be a key here" : (value ?? "missing");
  const message = [
    `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${what}; expected ${expected}`,
    ...(suggestion === null ? [] : [suggestion]),
  ].join("; ");
  return { file, line, column, path, value, expected, suggestion, message };
}

/** All problems as one error, a line each. */
export function configError(problems: readonly ConfigProblem[]): UnderstudyError {
  return new UnderstudyError("config_invalid", problems.map(({ message }) => message).join("\n"));
}
