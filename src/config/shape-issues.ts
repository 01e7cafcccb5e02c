import type * as z from "zod";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import { type ConfigIssue, showValue } from "./problem.ts";
import { knownKeys } from "./schema.ts";

type ShapeIssue = z.core.$ZodIssue;
type Path = readonly (string | number)[];

/**
 * What the schema found wrong with `value`, in our words: one issue per unknown key, and for a choice the branch that
 * was meant.
 */
export function shapeIssues(issues: readonly ShapeIssue[], value: unknown, at: Path = []): ConfigIssue[] {
  return issues.flatMap((issue) => {
    const path: Path = [...at, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => unknownKey([...path, key], knownKeys(path) ?? []));
      case "invalid_key":
        return [keyIssue(path, issue.issues[0]?.message ?? issue.message, null)];
      case "invalid_union": {
        const meant = issue.errors.find((branch) => branch.some((inner) => inner.path.length > 0));
        return meant === undefined ? [valueIssue(path, value, issue.message)] : shapeIssues(meant, value, path);
      }
      case "invalid_value":
        return [valueIssue(path, value, issue.message, issue.values.map(String))];
      default:
        return [valueIssue(path, value, issue.message)];
    }
  });
}

/** A key that nobody knows here. */
export function unknownKey(path: Path, known: readonly string[]): ConfigIssue {
  return keyIssue(path, `one of ${known.join(", ")}`, didYouMean(nearestNames(String(path.at(-1)), known)));
}

/** A key that can't stand here. */
export function keyIssue(path: Path, expected: string, suggestion: string | null): ConfigIssue {
  return { path, atKey: true, value: null, expected, suggestion };
}

/** A value that can't stand here; `names` are those it may have been meant to be. `root` is the whole configuration. */
export function valueIssue(path: Path, root: unknown, expected: string, names: Iterable<string> = []): ConfigIssue {
  const value = valueAt(root, path);
  const suggestion = typeof value === "string" ? didYouMean(nearestNames(value, names)) : null;
  return { path, atKey: false, value: showValue(value, path), expected, suggestion };
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
