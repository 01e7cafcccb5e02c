import { parseOwnPattern } from "../failures/own-pattern.ts";
import { type HeaderMatch, type Match, ownRowPrefix, type Row, type Where } from "../failures/row.ts";
import { failureTable } from "../failures/table.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import type { Config, FailureRowConfig } from "./schema.ts";

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
    ...(status !== undefined && { status: isStatusRange(status) ? status : listOf(status) }),
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

/** True for the range of the two ways to say which statuses. */
export function isStatusRange(status: FailureRowConfig["match"]["status"]): status is { from: number; to: number } {
  return typeof status === "object" && !Array.isArray(status);
}

/** What may be one or several, as several. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
