import type { JsonObject } from "../canonical.ts";

/** What a family of Claude models takes. Source: Anthropic's model migration guides, 4.5 → 4.6 → 4.7. */
interface ModelRules {
  /** First version it holds for, as major × 10 + minor. */
  readonly from: number;
  /** `budget`: a token budget. `adaptive`: an effort level; a budget is refused or deprecated. `none`: can't think. */
  readonly thinking: "none" | "budget" | "adaptive";
  /** The effort levels it knows that others don't. */
  readonly xhigh: boolean;
  /** Takes temperature and top_p. */
  readonly sampling: boolean;
  /** Goes on from an assistant message at the end of the history. */
  readonly prefill: boolean;
}

/** Newest first. */
const claude: readonly ModelRules[] = [
  { from: 47, thinking: "adaptive", xhigh: true, sampling: false, prefill: false },
  { from: 46, thinking: "adaptive", xhigh: false, sampling: true, prefill: false },
  { from: 37, thinking: "budget", xhigh: false, sampling: true, prefill: true },
  { from: 0, thinking: "none", xhigh: false, sampling: true, prefill: true },
];

/** Other makers' models behind a Messages endpoint copy the older dialect. */
const otherModels: ModelRules = { from: 0, thinking: "budget", xhigh: false, sampling: true, prefill: true };

/** The rules for a model name, with or without a vendor before it, with the version before or after the family. */
export function modelRules(model: string): ModelRules {
  const name = /claude-(?:[a-z]+-)?(?:(\d)(?:[-.](\d)(?!\d))?)?/i.exec(model);
  if (name === null) return otherModels;
  // Without a number it is a preview of something newer than this table.
  const version = name[1] === undefined ? Number.POSITIVE_INFINITY : Number(name[1]) * 10 + Number(name[2] ?? 0);
  return claude.find((rules) => version >= rules.from) ?? otherModels;
}

/**
 * Tokens of thinking per effort, where the model wants a budget. The least that Anthropic accepts is 1024.
 */
export const thinkingBudgets: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 4_096,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
};

/** `max_tokens` is required; this is sent when the caller named no limit. Claude Code's own value for models it does not know. */
export const defaultMaxTokens = 32_000;

/** What decides whether and how the model is asked to think. */
export interface ThinkingWish {
  readonly effort: string | undefined;
  readonly maxTokens: number;
  /** The tool choice names a tool or asks for any. */
  readonly toolIsForced: boolean;
  /** The last assistant message calls tools and does not begin with thinking. */
  readonly openLoopWithoutThinking: boolean;
}

export interface ThinkingPlan {
  readonly thinking?: JsonObject;
  /** For `output_config.effort`. */
  readonly effort?: string;
  readonly dropped?: string;
}

/**
 * From an effort to what the model takes:
 *
 * 1. No effort named: nothing is said, the model's own default holds.
 * 2. `none`: switched off where that can be said; models that decide for themselves can't be told.
 * 3. A forced tool and thinking exclude each other: the tool wins.
 * 4. A model with a budget must find thinking at the head of a running tool loop. After a switch from another provider it is
 *    not there, so this request goes without.
 * 5. The budget is at most three quarters of `max_tokens`; below 1024 there is no thinking.
 */
export function planThinking(rules: ModelRules, wish: ThinkingWish): ThinkingPlan {
  const { effort } = wish;
  if (effort === undefined) return {};
  if (rules.thinking === "none") return effort === "none" ? {} : { dropped: "reasoning effort: the model can't think" };
  if (effort === "none") {
    if (rules.thinking === "budget") return { thinking: { type: "disabled" } };
    return { dropped: "reasoning effort none: the model decides by itself" };
  }
  if (rules.thinking === "adaptive") {
    const level = adaptiveEffort(effort, rules);
    if (wish.toolIsForced) return { effort: level, dropped: "thinking: a tool is forced" };
    return { effort: level, thinking: { type: "adaptive" } };
  }
  if (wish.toolIsForced) return { dropped: "thinking: a tool is forced" };
  if (wish.openLoopWithoutThinking) return { dropped: "thinking: the running tool loop began without it" };
  const budget = Math.min(budgetOf(effort), Math.floor((wish.maxTokens * 3) / 4));
  if (budget < 1_024) return { dropped: "thinking: the output limit is too small" };
  return { thinking: { type: "enabled", budget_tokens: budget } };
}

/** From a request's `thinking` and `output_config.effort` to the effort that comes nearest. */
export function readEffort(thinking: JsonObject | undefined, effort: string | undefined): string | undefined {
  const type = thinking?.["type"];
  if (type === "disabled") return "none";
  if (effort !== undefined) return effort === "max" ? "xhigh" : effort;
  const budget = thinking?.["budget_tokens"];
  if (type !== "enabled" || typeof budget !== "number") return undefined;
  const levels = Object.entries(thinkingBudgets);
  return (levels.findLast(([, tokens]) => tokens <= budget) ?? levels[0])?.[0];
}

function budgetOf(effort: string): number {
  return (Object.hasOwn(thinkingBudgets, effort) ? thinkingBudgets[effort] : thinkingBudgets["medium"]) ?? 8_192;
}

function adaptiveEffort(effort: string, rules: ModelRules): string {
  if (effort === "minimal") return "low";
  if (effort === "xhigh" && !rules.xhigh) return "high";
  return effort;
}
