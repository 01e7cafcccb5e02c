import { isHtml } from "./html.ts";
import { reasonDefaults } from "./reasons.ts";
import { readResetTime } from "./reset-time.ts";
import { longestOwnTestedText, longestTestedText, type Match, type Row, type StatusRange, type Where } from "./row.ts";
import type { Evidence } from "./evidence.ts";

/**
 * How much a match is worth. The rows of a lower rank are asked first; within a rank, the order of the table decides.
 *
 * -  what a user's own row says of more than words; one that matches words alone is asked among the words, before the
 *    built-in ones, since words never outrank a structured code
 * 0. what is made for machines: a code, a parameter, a header, a finish reason, a network code
 * 1. the error's type, or a code's name in place of the type
 * 2. a status that means one thing, and a web page in place of an answer
 * 3. words
 * 4. fallbacks: types and statuses that providers use for several things
 */
export const ranks = ["own", "code", "type", "status", "words", "fallback"] as const;
export type Rank = (typeof ranks)[number];

/** A row at one place in the order. A row with codes stands there twice: `code`, and one rank later `type`. */
interface Place {
  readonly row: Row;
  readonly rank: Rank;
}

/** Whether `row` reads a code from the code, from the type, or from both, is a matter of its rank. */
export function rankOf(row: Row): Rank {
  const { match } = row;
  if (row.own === true) return Object.keys(match).every((key) => key === "message") ? "words" : "own";
  if (row.fallback === true) return "fallback";
  if (match.code ?? match.param ?? match.headers ?? match.finishReason ?? match.event ?? match.networkCode)
    return "code";
  if (match.type !== undefined) return "type";
  if (match.message !== undefined) return "words";
  return "status";
}

const ordered = new WeakMap<readonly Row[], readonly Place[]>();

/** The rows in the order in which they are asked. Worked out once per table. */
function placesOf(rows: readonly Row[]): readonly Place[] {
  const known = ordered.get(rows);
  if (known !== undefined) return known;
  const places: Place[] = [];
  for (const row of rows) {
    const rank = rankOf(row);
    places.push({ row, rank });
    if (rank === "code" && row.match.code !== undefined && row.match.type === undefined)
      places.push({ row, rank: "type" });
  }
  places.sort((a, b) => ranks.indexOf(a.rank) - ranks.indexOf(b.rank));
  ordered.set(rows, places);
  return places;
}

/** The row that decides on `evidence`, or null when none fits. */
export function findRow(rows: readonly Row[], evidence: Evidence, now: number): Row | null {
  return placesOf(rows).find(({ row, rank }) => fits(row, rank, evidence, now))?.row ?? null;
}

function fits(row: Row, rank: Rank, evidence: Evidence, now: number): boolean {
  if (row.own === true && evidence.networkCode === callerCancelled) return false;
  return appliesTo(row.where, evidence) && matches(row, rank, evidence, now);
}

/** The caller's own cancel: no row of a user's may make it anybody else's (rule R4). */
const callerCancelled = "CALLER_CANCELLED";

function appliesTo(where: Where | undefined, evidence: Evidence): boolean {
  return (
    isOneOf(where?.protocols, evidence.protocol) &&
    isOneOf(where?.providers, evidence.provider) &&
    isOneOf(where?.phases, evidence.phase)
  );
}

function matches({ match, own }: Row, rank: Rank, evidence: Evidence, now: number): boolean {
  const limit = own === true ? longestOwnTestedText : longestTestedText;
  return (
    hasStatus(match.status, evidence) &&
    hasCode(match.code, rank, evidence) &&
    hasName(match.type, evidence.type) &&
    hasName(match.param, evidence.param) &&
    hasName(match.finishReason, evidence.finishReason) &&
    hasName(match.event, evidence.event) &&
    hasName(match.networkCode, evidence.networkCode) &&
    hasHeaders(match.headers, limit, evidence.headers) &&
    (match.message === undefined || test(match.message, wordsOf(evidence), limit)) &&
    hasPage(match.html, evidence) &&
    resetsLate(match.resetsInAtLeastMs, evidence, now)
  );
}

function isOneOf<T>(allowed: readonly T[] | undefined, value: T | undefined): boolean {
  return allowed === undefined || (value !== undefined && allowed.includes(value));
}

function hasStatus(wanted: Match["status"], { status, phase }: Evidence): boolean {
  if (wanted === undefined) return true;
  if (!isList(wanted)) return status !== undefined && status >= wanted.from && status <= wanted.to;
  const good = status === undefined ? phase !== "connect" && phase !== "sent" : status >= 100 && status < 300;
  return (status !== undefined && wanted.includes(status)) || (good && wanted.includes(0));
}

function isList(wanted: readonly number[] | StatusRange): wanted is readonly number[] {
  return Array.isArray(wanted);
}

function hasCode(wanted: Match["code"], rank: Rank, evidence: Evidence): boolean {
  if (wanted === undefined) return true;
  if (rank === "type") return hasName(wanted, evidence.type);
  return hasName(wanted, evidence.code) || ((rank === "fallback" || rank === "own") && hasName(wanted, evidence.type));
}

function hasName(wanted: readonly string[] | RegExp | undefined, value: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (value === undefined) return false;
  if (wanted instanceof RegExp) return test(wanted, value);
  const lower = value.toLowerCase();
  return wanted.some((name) => name.toLowerCase() === lower);
}

function hasHeaders(wanted: Match["headers"], limit: number, headers: Evidence["headers"] = {}): boolean {
  return (wanted ?? []).every(({ name, value }) => {
    const sent = Object.hasOwn(headers, name) ? headers[name] : undefined;
    return sent !== undefined && (value === undefined || test(value, sent, limit));
  });
}

function hasPage(wanted: Match["html"], { text, headers }: Evidence): boolean {
  if (wanted === undefined) return true;
  if (text === undefined || !isHtml(text, headers)) return false;
  return wanted === true || test(wanted, text);
}

function resetsLate(wanted: number | undefined, evidence: Evidence, now: number): boolean {
  if (wanted === undefined) return true;
  const at = readResetTime(evidence, reasonDefaults.rate_limit.retryAt, now);
  return at !== undefined && at - now >= wanted;
}

/** The words of a page are its title's; the page itself is for `html` patterns. */
function wordsOf({ message, text, headers }: Evidence): string {
  if (message !== undefined) return message;
  return text === undefined || isHtml(text, headers) ? "" : text;
}

/** Patterns with the flags `g` or `y` remember where they stopped; the table must not. */
function test(pattern: RegExp, text: string, limit: number = longestTestedText): boolean {
  pattern.lastIndex = 0;
  const found = pattern.test(text.slice(0, limit));
  pattern.lastIndex = 0;
  return found;
}
