import { longestBelievedMs } from "../core/cooldown.ts";

/**
 * Single values that say when something may be tried again, in every form that was seen. All readers give Unix ms, or
 * undefined for what they can't read or don't believe.
 */

const secondMs = 1_000;

/** A time this long ago is a clock that is a little off; longer ago it says nothing. */
export const clockSkewMs = 60_000;

/** Nothing recovers sooner than this, so that a provider which says "now" is not hammered. */
export const soonestMs = 1_000;

/**
 * The one bound for all forms: not past by more than `clockSkewMs`, not further away than `longestBelievedMs`. A time in
 * the near past, or just now, becomes `soonestMs` from now.
 */
export function believe(at: number, now: number): number | undefined {
  if (!Number.isFinite(at) || at < now - clockSkewMs || at > now + longestBelievedMs) return undefined;
  return Math.max(Math.round(at), now + soonestMs);
}

/** A moment: Unix seconds or milliseconds (told apart by size), ISO 8601, or an HTTP date (RFC 9110 §5.6.7). */
export function readMoment(value: unknown, now: number): number | undefined {
  const number = toNumber(value);
  if (number !== undefined) {
    if (number >= 1e12) return believe(number, now);
    return number >= 1e9 ? believe(number * secondMs, now) : undefined;
  }
  if (typeof value !== "string") return undefined;
  const at = parseIsoDate(value) ?? parseHttpDate(value);
  return at === undefined ? undefined : believe(at, now);
}

/** A span from now: a number of seconds (or of `unitMs`), or `6m0s`, `1h2m3.5s`, `20ms`, `1 hour 5 minutes`. */
export function readSpan(value: unknown, now: number, unitMs: number = secondMs): number | undefined {
  const number = toNumber(value);
  if (number !== undefined) return number < 0 ? undefined : believe(now + number * unitMs, now);
  if (typeof value !== "string") return undefined;
  const span = parseSpan(value);
  return span === undefined ? undefined : believe(now + span, now);
}

/** For fields that some providers fill with a moment and others with a span. */
export function readMomentOrSpan(value: unknown, now: number): number | undefined {
  return readMoment(value, now) ?? readSpan(value, now);
}

const unitsMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: secondMs,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** One number with its unit. The longer spelling of a unit stands before the shorter. */
export const spanPart: RegExp =
  /(\d{1,9}(?:\.\d{1,12})?)\s*(days?|d|hours?|hrs?|hr|h|milliseconds?|millis|ms|minutes?|mins?|m|seconds?|secs?|sec|s|us|µs|ns)(?![a-z])/i;

/** `1h2m3.5s` or `4 days 20 hours` in ms; undefined when anything but numbers with units is in it. */
export function parseSpan(text: string): number | undefined {
  const part = new RegExp(spanPart.source, "giy");
  let total = 0;
  let end = 0;
  const trimmed = text.trim();
  for (let match = part.exec(trimmed); match !== null; match = part.exec(trimmed)) {
    total += Number(match[1]) * unitMs(match[2] ?? "");
    end = part.lastIndex;
    const gap = /^(?:[\s,]|and\s)*/i.exec(trimmed.slice(end, end + 10))?.[0].length ?? 0;
    part.lastIndex = end + gap;
  }
  return end > 0 && end === trimmed.length ? total : undefined;
}

function unitMs(unit: string): number {
  const lower = unit.toLowerCase();
  const known = unitsMs[lower];
  if (known !== undefined) return known;
  return lower.startsWith("milli") ? 1 : (unitsMs[lower.charAt(0)] ?? Number.NaN);
}

/**
 * ISO 8601 with a time. Without a zone it is Beijing's: Z.AI is the one provider seen that leaves it out, and a time read
 * too early only costs another try.
 */
export function parseIsoDate(text: string): number | undefined {
  const match = /^\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?\s*$/i.exec(
    text,
  );
  if (match === null) return undefined;
  const [, date, time, fraction = "", zone = "+08:00"] = match;
  const offset = /^[+-]/.test(zone) ? zone.replace(/^([+-]\d\d):?(\d\d)$/, "$1:$2") : "Z";
  const seconds = time?.length === 5 ? `${time}:00` : time;
  const at = Date.parse(`${date}T${seconds}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(at) ? undefined : at;
}

function parseHttpDate(text: string): number | undefined {
  if (!/^\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s.*\d\d:\d\d:\d\d/i.test(text) || text.length > 40)
    return undefined;
  // The asctime form of RFC 9110 has no zone and means GMT.
  const at = Date.parse(/gmt|utc|[+-]\d{4}/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : at;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || !/^\s*-?\d{1,15}(?:\.\d{1,12})?\s*$/.test(value)) return undefined;
  return Number(value);
}
