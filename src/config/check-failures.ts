import { parseOwnPattern } from "../failures/own-pattern.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { expectedProvider } from "./check-references.ts";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import type { ConfigIssue } from "./problem.ts";
import { isStatusRange, listOf } from "./own-rows.ts";
import type { Config } from "./schema.ts";
import { valueIssue } from "./shape-issues.ts";

/**
 * What is wrong with the rows under `failures` beyond their shape: a name that stands twice, a provider that is not there, a match
 * that every failure would fit, statuses in the wrong order, a pattern that can't be used.
 */
export function failureIssues(config: Config, providers: readonly Provider[]): ConfigIssue[] {
  const seen = new Set<string>();
  const names = providers.flatMap(({ id, aliases }) => [id, ...aliases]);
  return config.failures.flatMap((row, i) => {
    const issues: ConfigIssue[] = [];
    const at = (...path: (string | number)[]): (string | number)[] => ["failures", i, ...path];
    const wrong = (path: (string | number)[], expected: string): void => {
      issues.push(valueIssue(path, config, expected));
    };
    if (seen.has(row.name)) wrong(at("name"), "a name that no other row has");
    seen.add(row.name);

    const where = row.where?.provider;
    for (const [k, name] of listOf(where).entries()) {
      if (findProvider(providers, name) !== null) continue;
      const path = at("where", "provider", ...(Array.isArray(where) ? [k] : []));
      issues.push({
        ...valueIssue(path, config, expectedProvider(name)),
        suggestion: didYouMean(nearestNames(name, names)),
      });
    }

    const { status, header = {}, message } = row.match;
    const isEmpty = Object.values(row.match).every((value) => value === undefined);
    if (isEmpty || (Object.keys(row.match).length === 1 && "header" in row.match && Object.keys(header).length === 0)) {
      wrong(at("match"), "at least one thing to match: without any, every failure would fit");
    }
    if (isStatusRange(status) && status.from > status.to) wrong(at("match", "status", "to"), `at least ${status.from}`);
    for (const [name, value] of Object.entries(header)) {
      if (value !== true) checkPattern(value, at("match", "header", name));
    }
    // Only of what a provider can't decrypt is it known what to take out.
    if (row.next === "repair" && row.reason !== "invalid_encrypted_content") {
      wrong(at("next"), "another step: repair is for the reason invalid_encrypted_content");
    }
    // It ends with the next sign-in, and only a login has one.
    if (row.reason === "relogin_required" && row.scope !== undefined && row.scope !== "credential") {
      wrong(at("scope"), "credential: a new sign-in mends one login");
    }
    if (message !== undefined) checkPattern(message, at("match", "message"));
    return issues;

    function checkPattern(text: string, path: (string | number)[]): void {
      const read = parseOwnPattern(text);
      if (!read.ok) wrong(path, read.expected);
    }
  });
}
