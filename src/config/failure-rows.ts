import { parseOwnPattern } from "../failures/own-pattern.ts";
import { type HeaderMatch, type Match, ownRowPrefix, type Row, type Where } from "../failures/row.ts";
import { failureTable } from "../failures/table.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { expectedProvider } from "./check-references.ts";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import type { ConfigIssue } from "./problem.ts";
import type { Config, FailureRowConfig } from "./schema.ts";
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
    if (isRange(status) && status.from > status.to) wrong(at("match", "status", "to"), `at least ${status.from}`);
    for (const [name, value] of Object.entries(header)) {
      if (value !== true) checkPattern(value, at("match", "header", name));
    }
    // Only of what a provider can't decrypt is it known what to take out.
    if (row.next === "repair" && row.reason !== "invalid_encrypted_content") {
      wrong(at("next"), "another step: repair is for the reason invalid_encrypted_content");
    }
    if (message !== undefined) checkPattern(message, at("match", "message"));
    return issues;

    function checkPattern(text: string, path: (string | number)[]): void {
      const read = parseOwnPattern(text);
      if (!read.ok) wrong(path, read.expected);
    }
  });
}

/**
 * The table that every failure is looked up in: the rows of a checked configuration, then the built-in ones. Which of them is asked
 * first is a matter of `rankOf`.
 */
export function failureRows(config: Config, providers: readonly Provider[]): readonly Row[] {
  if (config.failures.length === 0) return failureTable;
  return [...config.failures.map((row) => toRow(row, providers)), ...failureTable];
}

function toRow(
  { name, where, match, reason, scope, next, retryAt }: FailureRowConfig,
  providers: readonly Provider[],
): Row {
  return {
    name: `${ownRowPrefix}${name}`,
    own: true,
    ...(where !== undefined && { where: toWhere(where, providers) }),
    match: toMatch(match),
    reason,
    ...(scope !== undefined && { scope }),
    ...(next !== undefined && { next }),
    ...(retryAt !== undefined && { retryAt }),
  };
}

function toWhere(
  { provider, protocol, phase }: NonNullable<FailureRowConfig["where"]>,
  providers: readonly Provider[],
): Where {
  return {
    ...(provider !== undefined && {
      providers: listOf(provider).map((name) => findProvider(providers, name)?.id ?? name),
    }),
    ...(protocol !== undefined && { protocols: listOf(protocol) }),
    ...(phase !== undefined && { phases: listOf(phase) }),
  };
}

function toMatch({ status, header, message, ...named }: FailureRowConfig["match"]): Match {
  const match: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(named)) if (value !== undefined) match[key] = listOf(value);
  return {
    ...match,
    ...(status !== undefined && { status: isRange(status) ? status : listOf(status) }),
    ...(header !== undefined && { headers: Object.entries(header).map(toHeader) }),
    ...(message !== undefined && { message: patternOf(message) }),
  };
}

function toHeader([name, value]: [string, string | true]): HeaderMatch {
  return { name: name.toLowerCase(), ...(value !== true && { value: patternOf(value) }) };
}

/** Expects a checked pattern. */
function patternOf(text: string): RegExp {
  const read = parseOwnPattern(text);
  return read.ok ? read.pattern : /(?!)/;
}

function isRange(status: FailureRowConfig["match"]["status"]): status is { from: number; to: number } {
  return typeof status === "object" && !Array.isArray(status);
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
