import { describe, expect, it } from "vitest";
import { codexUsageUrl, readUsageBody, readUsageEvent, readUsageHeaders } from "../../src/providers/codex-usage.ts";

const now = Date.UTC(2026, 6, 1);
const at = 1_783_000_000;

describe("the headers of an answer", () => {
  it("name each window with its length and its end", () => {
    const headers = {
      "x-codex-plan-type": "plus",
      "x-codex-primary-used-percent": "41.5",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(at),
      "x-codex-secondary-used-percent": "100",
      "x-codex-secondary-window-minutes": "10080",
      "x-codex-secondary-reset-after-seconds": "60",
      "x-codex-credits-has-credits": "True",
      "x-codex-credits-unlimited": "false",
      "x-codex-credits-balance": "12.50",
    };
    expect(readUsageHeaders(headers, now)).toEqual({
      plan: "plus",
      windows: [
        { name: "primary", usedPercent: 41.5, windowMinutes: 300, resetsAt: at * 1_000 },
        { name: "secondary", usedPercent: 100, windowMinutes: 10_080, resetsAt: now + 60_000 },
      ],
      credits: { unlimited: false, balance: "12.50" },
      at: now,
      source: "headers",
    });
  });

  it.each<[string, Record<string, string>, unknown]>([
    [
      "a limit of its own",
      { "x-codex-bengalfox-primary-used-percent": "3" },
      [{ name: "bengalfox primary", usedPercent: 3, windowMinutes: null, resetsAt: null }],
    ],
    [
      "a percentage that is none",
      { "x-codex-primary-used-percent": "soon", "x-codex-primary-window-minutes": "300" },
      null,
    ],
    [
      "a window with nothing in it",
      { "x-codex-primary-used-percent": "0", "x-codex-primary-window-minutes": "0" },
      null,
    ],
    [
      "an unused window",
      { "x-codex-primary-used-percent": "0", "x-codex-primary-window-minutes": "300" },
      [{ name: "primary", usedPercent: 0, windowMinutes: 300, resetsAt: null }],
    ],
    ["no such header", { "content-type": "text/plain" }, null],
  ])("%s", (_, headers, windows) => {
    expect(readUsageHeaders(headers, now)?.windows ?? null).toEqual(windows);
  });
});

describe("the event inside of a stream", () => {
  it("says the same", () => {
    const data = JSON.stringify({
      type: "codex.rate_limits",
      plan_type: "pro",
      rate_limits: { primary: { used_percent: 7, window_minutes: 300, reset_at: at }, secondary: null },
      credits: { has_credits: false, unlimited: false, balance: "0" },
    });
    expect(readUsageEvent(data, now)).toEqual({
      plan: "pro",
      windows: [{ name: "primary", usedPercent: 7, windowMinutes: 300, resetsAt: at * 1_000 }],
      credits: null,
      at: now,
      source: "event",
    });
  });

  it.each([
    '{"type":"response.created"}',
    '{"type":"codex.rate_limits"',
    '{"a":"codex.rate_limits"}',
    '"codex.rate_limits"',
    "",
  ])("is not %s", (data) => expect(readUsageEvent(data, now)).toBeNull());
});

describe("the answer to asking", () => {
  it("holds the plan's windows and those of other limits", () => {
    const window = { used_percent: 12, limit_window_seconds: 18_001, reset_after_seconds: 9, reset_at: at };
    expect(
      readUsageBody(
        {
          plan_type: "team",
          rate_limit: { allowed: true, limit_reached: false, primary_window: window, secondary_window: null },
          additional_rate_limits: [
            { limit_name: "spark", rate_limit: { secondary_window: { ...window, reset_at: 0 } } },
          ],
          credits: { has_credits: false, unlimited: true, balance: 3 },
        },
        now,
      ),
    ).toEqual({
      plan: "team",
      windows: [
        { name: "primary", usedPercent: 12, windowMinutes: 301, resetsAt: at * 1_000 },
        { name: "spark secondary", usedPercent: 12, windowMinutes: 301, resetsAt: now + 9_000 },
      ],
      credits: { unlimited: true, balance: "3" },
      at: now,
      source: "endpoint",
    });
  });

  it("may hold no window, and is none when it is something else", () => {
    expect(readUsageBody({ plan_type: "free", rate_limit: null }, now)).toMatchObject({ plan: "free", windows: [] });
    for (const body of [null, [], "x", { error: "no" }]) expect(readUsageBody(body, now)).toBeNull();
  });

  it.each([
    ["https://chatgpt.com/backend-api/codex", "https://chatgpt.com/backend-api/wham/usage"],
    ["https://proxy.example/backend-api/codex/", "https://proxy.example/backend-api/wham/usage"],
    ["https://other.example/api/codex", "https://other.example/api/codex/usage"],
    ["https://other.example", "https://other.example/api/codex/usage"],
  ])("is asked for beside %s", (baseUrl, url) => {
    expect(codexUsageUrl(baseUrl)).toBe(url);
  });
});
