/** One window of an account's plan. */
export interface CodexWindow {
  /** 0 to 100. */
  readonly usedPercent: number;
  readonly windowMinutes: number;
  /** Seconds from now until it resets. */
  readonly resetsInS: number;
}

export interface CodexLimits {
  readonly primary: CodexWindow;
  readonly secondary: CodexWindow;
  readonly credits: { readonly hasCredits: boolean; readonly unlimited: boolean; readonly balance: string };
}

export const defaultLimits: CodexLimits = {
  primary: { usedPercent: 10, windowMinutes: 300, resetsInS: 3_600 },
  secondary: { usedPercent: 20, windowMinutes: 10_080, resetsInS: 3 * 24 * 3_600 },
  credits: { hasCredits: false, unlimited: false, balance: "0" },
};

/** The `x-codex-…` headers of an answer. `now` is Unix ms. */
export function limitHeaders(limits: CodexLimits, now: number): Record<string, string> {
  const headers: Record<string, string> = {
    "x-codex-active-limit": "codex",
    "x-codex-credits-has-credits": limits.credits.hasCredits ? "True" : "False",
    "x-codex-credits-unlimited": limits.credits.unlimited ? "True" : "False",
    "x-codex-credits-balance": limits.credits.balance,
  };
  for (const name of ["primary", "secondary"] as const) {
    const window = limits[name];
    headers[`x-codex-${name}-used-percent`] = String(window.usedPercent);
    headers[`x-codex-${name}-window-minutes`] = String(window.windowMinutes);
    headers[`x-codex-${name}-reset-at`] = String(resetAt(window, now));
    headers[`x-codex-${name}-reset-after-seconds`] = String(window.resetsInS);
  }
  return headers;
}

/** The body of `GET /wham/usage`. */
export function usageBody(plan: string, limits: CodexLimits, now: number): object {
  const window = (of: CodexWindow) => ({
    used_percent: Math.round(of.usedPercent),
    limit_window_seconds: of.windowMinutes * 60,
    reset_after_seconds: of.resetsInS,
    reset_at: resetAt(of, now),
  });
  const reached = limits.primary.usedPercent >= 100 || limits.secondary.usedPercent >= 100;
  return {
    plan_type: plan,
    rate_limit: {
      allowed: !reached,
      limit_reached: reached,
      primary_window: window(limits.primary),
      secondary_window: window(limits.secondary),
    },
    credits: {
      has_credits: limits.credits.hasCredits,
      unlimited: limits.credits.unlimited,
      balance: limits.credits.balance,
      approx_local_messages: null,
      approx_cloud_messages: null,
    },
    additional_rate_limits: null,
    rate_limit_reached_type: null,
  };
}

function resetAt(window: CodexWindow, now: number): number {
  return Math.floor(now / 1_000) + window.resetsInS;
}
