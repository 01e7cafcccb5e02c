import { errorLayers, type Fields, isFields } from "./error-layers.ts";
import type { Evidence } from "./evidence.ts";
import { parseIsoDate, parseSpan, believe, readMoment, readMomentOrSpan, readSpan, spanPart } from "./reset-value.ts";
import type { ResetReader } from "./row.ts";

type Headers = Readonly<Record<string, string>>;
type Source = Pick<Evidence, "headers" | "body" | "message">;

/**
 * When the provider says it may be tried again, in Unix ms: the first of `readers` that finds something believable.
 * Undefined when none does. Never throws.
 *
 * Of several windows (requests and tokens; five hours and a week) those that are used up decide, and of those the one
 * that ends last, since all must be open. When none is marked as used up, the nearest is taken: too early costs one
 * more try, too late costs hours.
 */
export function readResetTime(source: Source, readers: readonly ResetReader[], now: number): number | undefined {
  const layers = errorLayers(source.body);
  const headers = { ...headersWithin(layers), ...lowerCased(source.headers) };
  for (const reader of readers) {
    const at = read[reader]({ headers, layers, message: source.message ?? "", now });
    if (at !== undefined) return at;
  }
  return undefined;
}

interface Reading {
  readonly headers: Headers;
  readonly layers: readonly Fields[];
  readonly message: string;
  /** Unix ms. */
  readonly now: number;
}

const read: Readonly<Record<ResetReader, (from: Reading) => number | undefined>> = {
  "body-fields": ({ layers, now }) => {
    for (const layer of layers.toReversed()) {
      const at = readFields(layer, now);
      if (at !== undefined) return at;
    }
    return undefined;
  },
  "codex-windows": ({ headers, now }) => nearestOpening(codexWindows(headers, now)),
  "unified-windows": ({ headers, now }) => unifiedReset(headers, now),
  "retry-after": ({ headers, now }) =>
    readSpan(headers["retry-after-ms"], now, 1) ?? readMomentOrSpan(headers["retry-after"], now),
  "ratelimit-windows": ({ headers, now }) => nearestOpening(rateLimitWindows(headers, now)),
  prose: ({ message, now }) => readProse(message, now),
};

// Bodies ---------------------------------------------------------------------------------------------------------------

const momentFields = [
  "resets_at",
  "reset_at",
  "resetsAt",
  "reset_time",
  "resetTime",
  "quotaResetTimeStamp",
  "retry_until",
];
const spanFields = [
  "resets_in_seconds",
  "reset_after_seconds",
  "retry_after_seconds",
  "retry_after",
  "retryAfter",
  "retryDelay",
  "quotaResetDelay",
];

function readFields(layer: Fields, now: number): number | undefined {
  for (const field of momentFields) {
    const at = readMoment(layer[field], now);
    if (at !== undefined) return at;
  }
  for (const field of spanFields) {
    const at = readMomentOrSpan(layer[field], now);
    if (at !== undefined) return at;
  }
  const inMs = readSpan(layer["retry_after_ms"], now, 1);
  if (inMs !== undefined) return inMs;
  // Google: `details: [{"@type": "…RetryInfo", "retryDelay": "34s"}, {"metadata": {"quotaResetDelay": "1h2m"}}]`.
  const details: unknown[] = Array.isArray(layer["details"]) ? layer["details"].slice(0, 20) : [];
  for (const detail of details) {
    if (!isFields(detail)) continue;
    const metadata = isFields(detail["metadata"]) ? detail["metadata"] : {};
    const at =
      readSpan(detail["retryDelay"], now) ??
      readSpan(metadata["quotaResetDelay"], now) ??
      readMoment(metadata["quotaResetTimeStamp"], now);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Headers that a body quotes: the Codex backend in its error event, OpenRouter in `error.metadata.headers`. */
function headersWithin(layers: readonly Fields[]): Headers {
  const found: Record<string, string> = {};
  for (const layer of layers) {
    const metadata = isFields(layer["metadata"]) ? layer["metadata"] : {};
    for (const quoted of [layer["headers"], metadata["headers"]]) {
      if (isFields(quoted)) Object.assign(found, lowerCased(quoted));
    }
  }
  return found;
}

/** Values that are no strings or numbers are left out. */
function lowerCased(headers: unknown): Headers {
  if (!isFields(headers)) return {};
  const lower: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" || typeof value === "number") lower.push([name.toLowerCase(), String(value)]);
  }
  return Object.fromEntries(lower);
}

// Windows --------------------------------------------------------------------------------------------------------------

interface Window {
  at: number | undefined;
  usedUp: boolean;
}

function nearestOpening(windows: Iterable<Window>): number | undefined {
  const known = [...windows].filter((window) => window.at !== undefined);
  const usedUp = known.filter((window) => window.usedUp).map((window) => Number(window.at));
  if (usedUp.length > 0) return Math.max(...usedUp);
  return known.length > 0 ? Math.min(...known.map((window) => Number(window.at))) : undefined;
}

/** `x-codex-primary-reset-at` and its family; other limits use another name in place of `codex`. Source: OpenAI Codex. */
const codexHeader = /^x-([\w-]{1,40})-(primary|secondary)-(used-percent|reset-at|reset-after-seconds)$/;

function codexWindows(headers: Headers, now: number): Iterable<Window> {
  const windows = new Map<string, Window>();
  for (const [name, value] of Object.entries(headers)) {
    const [, limit, which, field] = codexHeader.exec(name) ?? [];
    if (limit === undefined) continue;
    const window = windowNamed(windows, `${limit} ${which}`);
    if (field === "used-percent") window.usedUp = Number(value) >= 100;
    else if (field === "reset-at") window.at = readMoment(value, now) ?? window.at;
    else window.at ??= readSpan(value, now);
  }
  return windows.values();
}

/** The window that each value of `anthropic-ratelimit-unified-representative-claim` speaks of. */
const windowOfClaim: Readonly<Record<string, string>> = {
  five_hour: "5h",
  seven_day: "7d",
  seven_day_opus: "7d_opus",
  seven_day_sonnet: "7d_sonnet",
  seven_day_overage_included: "7d_oi",
};

/**
 * `anthropic-ratelimit-unified-5h-status`, `-5h-reset` and so on: a subscription's windows. Only the two general ones and
 * the one that the claim names count; the window of paid overage is closed for most accounts and says nothing.
 */
function unifiedReset(headers: Headers, now: number): number | undefined {
  const prefix = "anthropic-ratelimit-unified";
  const claimed = windowOfClaim[headers[`${prefix}-representative-claim`] ?? ""];
  const windows = new Set(["5h", "7d", ...(claimed === undefined ? [] : [claimed])]);
  const closed: number[] = [];
  for (const window of windows) {
    const at = readMoment(headers[`${prefix}-${window}-reset`], now);
    if (at !== undefined && headers[`${prefix}-${window}-status`] === "rejected") closed.push(at);
  }
  if (closed.length > 0) return Math.max(...closed);
  return readMoment(headers[`${prefix}-reset`], now) ?? readMoment(headers[`${prefix}-${claimed}-reset`], now);
}

/**
 * `x-ratelimit-reset`, `x-ratelimit-reset-requests`, `anthropic-ratelimit-tokens-reset`, and what remains beside them. Not a
 * subscription's windows: they come with every answer, and a burst must not be taken for one of them.
 */
const rateLimitHeader =
  /^(?:x-ratelimit|ratelimit|anthropic-ratelimit)-(?!unified-)(?:(reset|remaining)(?:-([a-z-]{1,30}))?|([a-z-]{1,30})-(reset|remaining))$/;

function rateLimitWindows(headers: Headers, now: number): Iterable<Window> {
  const windows = new Map<string, Window>();
  for (const [name, value] of Object.entries(headers)) {
    const match = rateLimitHeader.exec(name);
    if (match === null) continue;
    const [, frontField, frontName, backName, backField] = match;
    const window = windowNamed(windows, frontName ?? backName ?? "");
    if ((frontField ?? backField) === "remaining") window.usedUp = value.trim() !== "" && Number(value) <= 0;
    else window.at = readMomentOrSpan(value, now);
  }
  return windows.values();
}

function windowNamed(windows: Map<string, Window>, name: string): Window {
  const window = windows.get(name) ?? { at: undefined, usedUp: false };
  windows.set(name, window);
  return window;
}

// Prose ----------------------------------------------------------------------------------------------------------------

const spans = `${spanPart.source}(?:(?:[\\s,]|and\\s){0,6}${spanPart.source}){0,4}`;
const spanAfterWords = new RegExp(
  `(?:try again|retry(?:ing)?|wait|available(?: again)?|resets?|quotaResetDelay|renews?)[^\\d.;]{0,24}?(${spans})`,
  "i",
);
const isoDate = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?`;
const dateAfterWords = new RegExp(`(?:try (?:again )?|retry |available |resets? )[^\\d.;]{0,24}(${isoDate})`, "i");
const dateBeforeWords = new RegExp(`(${isoDate})\\s{0,2}(?:重置|恢复)`, "i");
const unixAfterWords = /resets?(?: at|_at)?\W{0,4}(\d{10}|\d{13})(?!\d)/i;

/** A time in a sentence: "try again in 1h 2m", "resets in 3 days", "will reset at 2026-08-27 21:31:39". */
function readProse(message: string, now: number): number | undefined {
  const text = message.slice(0, 2_000);
  const date = dateAfterWords.exec(text)?.[1] ?? dateBeforeWords.exec(text)?.[1];
  const at = date === undefined ? undefined : parseIsoDate(date);
  if (at !== undefined) return believe(at, now);
  const unix = readMoment(unixAfterWords.exec(text)?.[1], now);
  if (unix !== undefined) return unix;
  const span = spanAfterWords.exec(text)?.[1];
  const spanMs = span === undefined ? undefined : parseSpan(span);
  return spanMs === undefined ? undefined : believe(now + spanMs, now);
}
