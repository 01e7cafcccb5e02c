/** One window of an account's plan: how much of it is used, and when it begins anew. */
export interface PlanWindow {
  /** The provider's name for it, for example `primary`. Says nothing about its length. */
  readonly name: string;
  /** 0 to 100, and more when a plan was overdrawn. */
  readonly usedPercent: number;
  /** Null when the provider does not say. */
  readonly windowMinutes: number | null;
  /** Unix ms; null when the provider does not say. */
  readonly resetsAt: number | null;
}

/** What a provider says of an account's plan. Nothing in it is secret. */
export interface PlanUsage {
  /** As the provider spells it. */
  readonly plan: string | null;
  readonly windows: readonly PlanWindow[];
  /** Bought on top of the plan; null when there is no such thing. */
  readonly credits: { readonly unlimited: boolean; readonly balance: string | null } | null;
  /** Unix ms at which it was said. */
  readonly at: number;
  /** Beside an answer, inside of one, or asked for. */
  readonly source: "headers" | "event" | "endpoint";
}
