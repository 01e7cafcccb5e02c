import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestBelievedMs } from "../../src/core/cooldown.ts";
import { parseIsoDate, parseSpan, readMoment, readMomentOrSpan, readSpan } from "../../src/failures/reset-value.ts";

const now = Date.parse("2026-10-01T12:00:00Z");
const minute = 60_000;
const hour = 60 * minute;

describe("readMoment", () => {
  it.each([
    ["unix seconds", now / 1_000 + 90, now + 90_000],
    ["unix seconds as text", String(now / 1_000 + 90), now + 90_000],
    ["unix milliseconds", now + 1_500, now + 1_500],
    ["unix milliseconds as text", String(now + 1_500), now + 1_500],
    ["unix seconds with a fraction", now / 1_000 + 1.5, now + 1_500],
    ["ISO 8601 in UTC", "2026-10-01T12:00:30Z", now + 30_000],
    ["ISO 8601 with microseconds", "2026-10-01T12:00:30.416717Z", now + 30_416],
    ["ISO 8601 with an offset", "2026-10-01T14:00:30+02:00", now + 30_000],
    ["an HTTP date", "Thu, 01 Oct 2026 12:00:30 GMT", now + 30_000],
    ["an HTTP date of RFC 850", "Thursday, 01-Oct-26 12:00:30 GMT", now + 30_000],
    ["an HTTP date of asctime", "Thu Oct  1 12:00:30 2026", now + 30_000],
    ["half a minute ago: a clock that is off", now - 30_000, now + 1_000],
    ["32 days from now", now + longestBelievedMs, now + longestBelievedMs],
  ])("reads %s", (_form, value, at) => {
    expect(readMoment(value, now)).toBe(at);
  });

  it.each([
    ["more than a minute ago", now - minute - 1],
    ["more than 32 days away", now + longestBelievedMs + 1],
    ["zero", 0],
    ["zero as text", "0"],
    ["a negative number", -5],
    ["a span", 30],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a number too long to be one", "9".repeat(400)],
    ["words", "tomorrow"],
    ["a bare year", "2026"],
    ["no date at all", "2026-99-99T99:99:99Z"],
    ["nothing", null],
    ["an object", { at: now }],
  ])("refuses %s", (_form, value) => {
    expect(readMoment(value, now)).toBeUndefined();
  });
});

describe("readSpan", () => {
  it.each([
    ["seconds", 7, 7_000],
    ["seconds as text", "7", 7_000],
    ["seconds with a fraction", "7.25", 7_250],
    ["Go's 6m0s", "6m0s", 6 * minute],
    ["Go's 1h2m3.5s", "1h2m3.5s", hour + 2 * minute + 3_500],
    ["Go's 20s", "20s", 20_000],
    ["1500ms", "1500ms", 1_500],
    ["days in words", "4 days 20 hours 9 minutes", 4 * 24 * hour + 20 * hour + 9 * minute],
    ["hours and minutes in words", "1 hour and 5 minutes", hour + 5 * minute],
    ["short words", "1hr 2min", hour + 2 * minute],
    ["less than a second becomes a second", "20ms", 1_000],
    ["now becomes a second", 0, 1_000],
  ])("reads %s", (_form, value, ms) => {
    expect(readSpan(value, now)).toBe(now + ms);
  });

  it.each([
    ["a negative number", -1],
    ["a negative number as text", "-1"],
    ["33 days", 33 * 24 * 3_600],
    ["a unit that is none", "3 months"],
    ["a number with a rest", "30 apples"],
    ["an empty text", ""],
    ["a boolean", true],
  ])("refuses %s", (_form, value) => {
    expect(readSpan(value, now)).toBeUndefined();
  });

  it("reads another unit when told", () => {
    expect(readSpan("2500", now, 1)).toBe(now + 2_500);
  });
});

describe("readMomentOrSpan", () => {
  it("tells a moment from a span by its size", () => {
    expect(readMomentOrSpan(now / 1_000 + 60, now)).toBe(now + minute);
    expect(readMomentOrSpan(60, now)).toBe(now + minute);
    expect(readMomentOrSpan("60", now)).toBe(now + minute);
  });
});

describe("parseIsoDate", () => {
  it("takes a time without a zone for Beijing's", () => {
    expect(parseIsoDate("2026-10-01 20:00:00")).toBe(now);
  });
});

describe("any value", () => {
  it("gives a time between a second and 32 days from now, or none", () => {
    const values = fc.oneof(
      fc.anything(),
      fc.double(),
      fc.string(),
      fc.integer().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(values, (value) => {
        for (const at of [readMoment(value, now), readSpan(value, now), readMomentOrSpan(value, now)]) {
          if (at === undefined) continue;
          expect(at).toBeGreaterThan(now);
          expect(at).toBeLessThanOrEqual(now + longestBelievedMs);
          expect(Number.isInteger(at)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads back every Go duration", () => {
    const parts = fc.tuple(fc.nat(99), fc.nat(59), fc.nat(59));
    fc.assert(
      fc.property(parts, ([hours, minutes, seconds]) => {
        expect(parseSpan(`${hours}h${minutes}m${seconds}s`)).toBe(hours * hour + minutes * minute + seconds * 1_000);
      }),
    );
  });
});
