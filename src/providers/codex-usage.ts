import type { PlanUsage, PlanWindow } from "../core/plan-usage.ts";

/**
 * What OpenAI says of a ChatGPT plan, in its three forms. A window counts only when its percentage can be read and anything in it is
 * not zero. Which window is the short one is not in its name: go by its length.
 */

type Fields = Readonly<Record<string, unknown>>;

/** `x-codex-primary-used-percent` and its like beside every answer. Other limits come under names of their own. Null without any. */
export function readUsageHeaders(headers: Readonly<Record<string, string>>, now: number): PlanUsage | null {
  const windows: PlanWindow[] = [];
  for (const name of Object.keys(headers)) {
    const [, limit = "", which = ""] = /^x-([a-z0-9-]+)-(primary|secondary)-used-percent$/.exec(name) ?? [];
    if (limit === "") continue;
    const field = (key: string): string | undefined => headers[`x-${limit}-${which}-${key}`];
    const window = readWindow({
      name: limit === "codex" ? which : `${limit.replace(/^codex-/, "")} ${which}`,
      usedPercent: field("used-percent"),
      windowMinutes: field("window-minutes"),
      resetAt: field("reset-at"),
      resetAfterS: field("reset-after-seconds"),
      now,
    });
    if (window !== null) windows.push(window);
  }
  if (windows.length === 0) return null;
  const has = flag(headers["x-codex-credits-has-credits"]);
  const unlimited = flag(headers["x-codex-credits-unlimited"]);
  const balance = headers["x-codex-credits-balance"]?.trim() || null;
  const credits = has || unlimited ? { unlimited, balance } : null;
  return { plan: headers["x-codex-plan-type"]?.trim() || null, windows, credits, at: now, source: "headers" };
}

/** The event `codex.rate_limits` inside of a stream, by its data. Null for all other data. */
export function readUsageEvent(data: string, now: number): PlanUsage | null {
  if (!data.includes('"codex.rate_limits"')) return null;
  let event: Fields | null;
  try {
    event = asFields(JSON.parse(data));
  } catch {
    return null;
  }
  if (event?.["type"] !== "codex.rate_limits") return null;
  const limits = asFields(event["rate_limits"]);
  const limit = textOf(event["metered_limit_name"]) ?? textOf(event["limit_name"]);
  const prefix = limit === null || limit === "codex" ? "" : `${limit} `;
  const windows = ["primary", "secondary"].flatMap((name) => {
    const fields = asFields(limits?.[name]);
    const window =
      fields === null
        ? null
        : readWindow({
            name: `${prefix}${name}`,
            usedPercent: fields["used_percent"],
            windowMinutes: fields["window_minutes"],
            resetAt: fields["reset_at"],
            resetAfterS: fields["reset_after_seconds"],
            now,
          });
    return window ?? [];
  });
  if (windows.length === 0) return null;
  return {
    plan: textOf(event["plan_type"]),
    windows,
    credits: readCredits(event["credits"]),
    at: now,
    source: "event",
  };
}

/** The body of `GET …/wham/usage`. Null when it is something else. */
export function readUsageBody(body: unknown, now: number): PlanUsage | null {
  const fields = asFields(body);
  if (fields === null || !("rate_limit" in fields || "plan_type" in fields)) return null;
  const additional = Array.isArray(fields["additional_rate_limits"]) ? fields["additional_rate_limits"] : [];
  const windows = [
    ...windowsOf(fields["rate_limit"], "", now),
    ...additional.flatMap((one: unknown) => {
      const limit = asFields(one);
      return windowsOf(limit?.["rate_limit"], `${textOf(limit?.["limit_name"]) ?? "another limit"} `, now);
    }),
  ];
  return {
    plan: textOf(fields["plan_type"]),
    windows,
    credits: readCredits(fields["credits"]),
    at: now,
    source: "endpoint",
  };
}

/** Where the usage of the account is asked for, given the base URL of the model calls. */
export function codexUsageUrl(baseUrl: string): string {
  const base = baseUrl.replace(/\/+$/, "");
  if (base.endsWith("/backend-api/codex")) return `${base.slice(0, -"/codex".length)}/wham/usage`;
  return `${base.replace(/\/(?:api\/)?codex$/, "")}/api/codex/usage`;
}

function windowsOf(limit: unknown, prefix: string, now: number): PlanWindow[] {
  const fields = asFields(limit);
  return ["primary", "secondary"].flatMap((name) => {
    const window = asFields(fields?.[`${name}_window`]);
    if (window === null) return [];
    const seconds = numberOf(window["limit_window_seconds"]);
    const read = readWindow({
      name: `${prefix}${name}`,
      usedPercent: window["used_percent"],
      windowMinutes: seconds === null ? null : Math.ceil(seconds / 60),
      resetAt: window["reset_at"],
      resetAfterS: window["reset_after_seconds"],
      now,
    });
    return read === null ? [] : [read];
  });
}

function readWindow(raw: {
  readonly name: string;
  readonly usedPercent: unknown;
  readonly windowMinutes: unknown;
  readonly resetAt: unknown;
  readonly resetAfterS: unknown;
  readonly now: number;
}): PlanWindow | null {
  const usedPercent = numberOf(raw.usedPercent);
  if (usedPercent === null) return null;
  const windowMinutes = numberOf(raw.windowMinutes);
  const resetAt = numberOf(raw.resetAt);
  const resetAfterS = numberOf(raw.resetAfterS);
  if (![usedPercent, windowMinutes, resetAt].some((value) => value !== null && value !== 0)) return null;
  const resetsAt =
    resetAt !== null && resetAt > 0 ? resetAt * 1_000 : resetAfterS === null ? null : raw.now + resetAfterS * 1_000;
  return { name: raw.name, usedPercent, windowMinutes: windowMinutes === 0 ? null : windowMinutes, resetsAt };
}

function readCredits(value: unknown): PlanUsage["credits"] {
  const fields = asFields(value);
  if (fields === null) return null;
  const unlimited = fields["unlimited"] === true;
  if (fields["has_credits"] !== true && !unlimited) return null;
  const balance = fields["balance"];
  return { unlimited, balance: typeof balance === "number" ? String(balance) : textOf(balance) };
}

function flag(text: string | undefined): boolean {
  return /^(true|1)$/i.test(text?.trim() ?? "");
}

/** A number, or a text that holds one; nothing below zero. */
function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && /^[^\p{C}]{1,60}$/u.test(value.trim()) ? value.trim() : null;
}

function asFields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
