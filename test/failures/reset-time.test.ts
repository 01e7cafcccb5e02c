import { describe, expect, it } from "vitest";
import { readResetTime } from "../../src/failures/reset-time.ts";
import type { ResetReader } from "../../src/failures/row.ts";

const now = Date.parse("2026-10-01T12:00:00Z");
const inSeconds = (seconds: number): number => now + seconds * 1_000;
const unix = (seconds: number): string => String(now / 1_000 + seconds);
const iso = (seconds: number): string => new Date(inSeconds(seconds)).toISOString();

/** Seconds from now, or null. */
function read(reader: ResetReader, source: { headers?: Record<string, string>; body?: unknown; message?: string }) {
  const at = readResetTime(source, [reader], now);
  return at === undefined ? null : (at - now) / 1_000;
}

describe("times in a body", () => {
  it.each([
    ["resets_at", { error: { resets_at: now / 1_000 + 600 } }, 600],
    [
      "resets_at beside resets_in_seconds: the moment wins",
      { error: { resets_at: now / 1_000 + 600, resets_in_seconds: 5 } },
      600,
    ],
    ["resets_in_seconds alone", { error: { resets_in_seconds: 13_872 } }, 13_872],
    ["reset_at in ISO", { error: { reset_at: iso(60) } }, 60],
    ["retry_after", { error: { retry_after: 12 } }, 12],
    ["retry_after_ms", { error: { retry_after_ms: 2_500 } }, 2.5],
    ["inside a failed response", { response: { error: { code: "x", resets_in_seconds: 90 } } }, 90],
    ["inside a detail", { detail: { code: "x", resets_in_seconds: 90 } }, 90],
    ["inside JSON in a message", { error: { message: JSON.stringify({ error: { resets_in_seconds: 90 } }) } }, 90],
    [
      "Google's RetryInfo",
      {
        error: {
          details: [{ "@type": "x" }, { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" }],
        },
      },
      34.5,
    ],
    ["Google's quotaResetDelay", { error: { details: [{ metadata: { quotaResetDelay: "1h2m" } }] } }, 3_720],
    ["the field nearest to the cause", { retry_after: 5, error: { retry_after: 50 } }, 50],
    ["a past moment falls back to a span", { error: { resets_at: 1_000_000_000, resets_in_seconds: 70 } }, 70],
    ["null", { error: { resets_at: null } }, null],
    ["what the model wrote", { output: [{ resets_at: now / 1_000 + 600 }] }, null],
  ])("%s", (_form, body, seconds) => {
    expect(read("body-fields", { body })).toBe(seconds);
  });
});

describe("Retry-After", () => {
  it.each([
    ["seconds", { "retry-after": "20" }, 20],
    ["an HTTP date", { "retry-after": "Thu, 01 Oct 2026 12:05:00 GMT" }, 300],
    ["milliseconds", { "retry-after-ms": "1500" }, 1.5],
    ["milliseconds beside seconds: the finer wins", { "retry-after-ms": "1500", "retry-after": "2" }, 1.5],
    ["a negative number", { "retry-after": "-1" }, null],
    ["a hundred days", { "retry-after": "8640000" }, null],
    ["nonsense", { "retry-after": "soon" }, null],
  ])("%s", (_form, headers, seconds) => {
    expect(read("retry-after", { headers })).toBe(seconds);
  });

  it("is found in headers that a body quotes, whatever their case", () => {
    expect(read("retry-after", { body: { type: "error", error: {}, headers: { "Retry-After": "20" } } })).toBe(20);
  });
});

describe("windows of requests and tokens", () => {
  it.each([
    [
      "Go durations, nearest first",
      { "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "1m2.5s" },
      62.5,
    ],
    [
      "the one that is used up",
      {
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-tokens": "1s",
        "x-ratelimit-remaining-tokens": "100",
      },
      360,
    ],
    [
      "both used up: the later",
      {
        "x-ratelimit-reset-requests": "60s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-tokens": "90s",
        "x-ratelimit-remaining-tokens": "0",
      },
      90,
    ],
    ["unix milliseconds", { "x-ratelimit-reset": `${unix(60)}000` }, 60],
    ["unix seconds", { "x-ratelimit-reset": unix(60) }, 60],
    ["seconds to go", { "x-ratelimit-reset": "60" }, 60],
    [
      "Anthropic's in ISO",
      {
        "anthropic-ratelimit-tokens-reset": iso(30),
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-requests-reset": iso(1),
        "anthropic-ratelimit-requests-remaining": "49",
      },
      30,
    ],
    ["a subscription's are another reader's", { "anthropic-ratelimit-unified-reset": unix(60) }, null],
    [
      "an empty remainder is none",
      { "x-ratelimit-reset-requests": "5s", "x-ratelimit-remaining-requests": "", "x-ratelimit-reset-tokens": "9s" },
      5,
    ],
  ])("%s", (_form, headers, seconds) => {
    expect(read("ratelimit-windows", { headers })).toBe(seconds);
  });
});

describe("windows of the Codex backend", () => {
  const primary = { "x-codex-primary-reset-at": unix(900), "x-codex-primary-used-percent": "40" };
  const secondary = { "x-codex-secondary-reset-at": unix(90_000), "x-codex-secondary-used-percent": "100.0" };

  it.each([
    ["the one that is used up, though later", { ...primary, ...secondary }, 90_000],
    ["none used up: the nearest", { ...primary, ...secondary, "x-codex-secondary-used-percent": "99" }, 900],
    ["both used up: the later", { ...primary, ...secondary, "x-codex-primary-used-percent": "100" }, 90_000],
    [
      "a span in place of a moment",
      { "x-codex-primary-reset-after-seconds": "70", "x-codex-primary-used-percent": "100" },
      70,
    ],
    [
      "a span beside a moment that is long past",
      {
        "x-codex-primary-reset-at": "1000000000",
        "x-codex-primary-reset-after-seconds": "70",
        "x-codex-primary-used-percent": "100",
      },
      70,
    ],
    [
      "another limit's family",
      { "x-codex-bengalfox-primary-reset-at": unix(50), "x-codex-bengalfox-primary-used-percent": "100", ...primary },
      50,
    ],
  ])("%s", (_form, headers, seconds) => {
    expect(read("codex-windows", { headers })).toBe(seconds);
  });
});

describe("windows of an Anthropic subscription", () => {
  const prefix = "anthropic-ratelimit-unified";
  const fiveHours = { [`${prefix}-5h-reset`]: unix(600), [`${prefix}-5h-status`]: "rejected" };
  const week = { [`${prefix}-7d-reset`]: unix(200_000), [`${prefix}-7d-status`]: "rejected" };

  it.each([
    ["the window that is closed", fiveHours, 600],
    ["two closed windows: the later", { ...fiveHours, ...week }, 200_000],
    ["an open window does not count", { ...fiveHours, ...week, [`${prefix}-7d-status`]: "allowed" }, 600],
    [
      "the closed overage does not count",
      { ...fiveHours, [`${prefix}-overage-status`]: "rejected", [`${prefix}-overage-reset`]: unix(2_000_000) },
      600,
    ],
    [
      "the window of the claim",
      {
        [`${prefix}-representative-claim`]: "seven_day_opus",
        [`${prefix}-7d_opus-reset`]: unix(500),
        [`${prefix}-7d_opus-status`]: "rejected",
      },
      500,
    ],
    ["only the overall reset", { [`${prefix}-reset`]: unix(300) }, 300],
  ])("%s", (_form, headers, seconds) => {
    expect(read("unified-windows", { headers })).toBe(seconds);
  });
});

describe("times in prose", () => {
  it.each([
    ["Please try again in 4.77s.", 4.77],
    ["Please try again in 9m38.016s. Need more tokens? Upgrade", 578.016],
    ["try again in 1h 2m", 3_720],
    ["Try again in 4 days 20 hours 9 minutes.", 418_140],
    ["Please retry in 45.578569677s.", 45.579],
    ["Please retry after 30 seconds", 30],
    ["Free usage exceeded [retrying in 17h 42m attempt #1]", 63_720],
    ["usage limit reached, resets in 3 hr 20 min", 12_000],
    ["Limit resets in: 90s", 90],
    ["please wait 5 minutes and try again", 300],
    ["quotaResetDelay: 2500ms", 2.5],
    ["Your limit will reset at 2026-10-01 21:31:39", 5_499],
    ["已达到 5 小时的使用上限。您的限额将在 2026-10-01 21:31:39 重置。", 5_499],
    ["Please try after 2026-10-01T12:03:57.071Z.", 237.071],
    ["limit reached, resets at 1790856600", 600],
    ["quota exceeded, resets at midnight UTC", null],
    ["try again at 7:58 PM", null],
    ["try again in 3 months", null],
    ["try again later", null],
    ["Limit 100000, Used 97050, Requested 3619", null],
    ["try again in 400 days", null],
  ])("%s", (message, seconds) => {
    expect(read("prose", { message })).toBe(seconds);
  });
});

describe("several readers", () => {
  it("asks them in the order of the row", () => {
    const source = {
      headers: { "retry-after": "10" },
      body: { error: { resets_in_seconds: 20 } },
      message: "try again in 30s",
    };
    expect(readResetTime(source, ["prose", "retry-after"], now)).toBe(inSeconds(30));
    expect(readResetTime(source, ["retry-after", "prose"], now)).toBe(inSeconds(10));
    expect(readResetTime(source, ["unified-windows", "body-fields"], now)).toBe(inSeconds(20));
    expect(readResetTime(source, [], now)).toBeUndefined();
  });
});
