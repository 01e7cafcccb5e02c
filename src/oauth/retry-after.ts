import { longestBelievedMs } from "../core/cooldown.ts";

/**
 * When the `Retry-After` header allows another try, in Unix ms (RFC 9110 §10.2.3: seconds or a date); null when it is
 * missing, malformed, in the past or too far away to be believed. A date is taken relative to the answer's own `Date`, so
 * that a wrong clock on either side does not matter.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>, now: number): number | null {
  const value = headers["retry-after"]?.trim() ?? "";
  const delayMs = /^\d{1,15}(\.\d+)?$/.test(value) ? Math.ceil(Number(value) * 1_000) : untilDate(value, headers, now);
  return delayMs !== null && delayMs <= longestBelievedMs ? now + delayMs : null;
}

function untilDate(value: string, headers: Readonly<Record<string, string>>, now: number): number | null {
  const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  const sentAt = Date.parse(headers["date"] ?? "");
  const delayMs = at - (Number.isNaN(sentAt) ? now : sentAt);
  return delayMs > 0 ? delayMs : null;
}
