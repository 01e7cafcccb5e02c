import type { TurnOutcome } from "../../core/events.ts";
import type { Reason } from "../../core/failure.ts";
import type { ExplainedLine } from "../../turn/explain-turn.ts";

/**
 * What the status page is told, as JSON. All of it may be shown to whoever has the admin key; none of it is a secret, or a part of one.
 * Times are Unix ms. The page's own code knows the gateway by these types alone.
 */

/** How everything stands now. */
export interface PageState {
  /** The gateway's clock, so that countdowns don't depend on the browser's. */
  readonly now: number;
  readonly pools: readonly PoolView[];
  readonly routes: readonly RouteView[];
  /** Providers that a person can sign in to with a code. */
  readonly logins: readonly ProviderChoice[];
  /** Providers that take a key. */
  readonly keyProviders: readonly ProviderChoice[];
  /** What can't be read just now, in words; null when all is well. The rest is then what was known last. */
  readonly trouble: string | null;
}

export interface ProviderChoice {
  readonly provider: string;
  readonly name: string;
  /** How it is done on the command line. */
  readonly command: string;
}

export interface PoolView {
  readonly provider: string;
  readonly name: string;
  readonly strategy: string;
  readonly accounts: readonly AccountView[];
  /** Rests that concern no single account: of a model, or of the whole provider. */
  readonly rests: readonly RestView[];
}

export interface RestView {
  /** Empty: all of them. */
  readonly model: string;
  readonly words: string;
  readonly until: number;
}

export interface AccountView {
  readonly id: string;
  readonly label: string;
  /** `login`, `login · plus plan`, `key in $NAME`, … */
  readonly source: string;
  readonly email: string | null;
  readonly state: "ready" | "resting" | "sign_in" | "paused";
  /** The state in words. */
  readonly words: string;
  /** The one command that helps; null when waiting, or nothing, is all that helps. */
  readonly command: string | null;
  /** When a rest ends. */
  readonly until: number | null;
  /** True for the one that its provider's next turn tries first. */
  readonly next: boolean;
  /** False for a key from the environment, which can't be paused. */
  readonly stored: boolean;
  /** True when signing in with a code is how it is renewed. */
  readonly canSignIn: boolean;
  /** Single models that rest while the account itself is ready. */
  readonly rests: readonly RestView[];
  readonly uses: number;
  readonly lastUsedAt: number | null;
  /** What its provider said last of its plan; null when it never did. */
  readonly plan: PlanView | null;
}

export interface PlanView {
  readonly windows: readonly WindowView[];
  /** What was bought on top of the plan, in words. */
  readonly credits: string | null;
  readonly at: number;
}

export interface WindowView {
  /** `5 h`, `7 d`, or the provider's name for it. */
  readonly name: string;
  /** 0 to 100, and more when a plan was overdrawn. 0 when it has begun anew since. */
  readonly usedPercent: number;
  readonly resetsAt: number | null;
}

export interface RouteView {
  readonly name: string;
  readonly isDefault: boolean;
  readonly strict: boolean;
  readonly targets: readonly TargetView[];
  /** Who the next turn asks first; null when nobody can be asked. */
  readonly serving: { readonly target: string; readonly label: string | null } | null;
  /** When the first of those who rest comes back by itself. */
  readonly recoversAt: number | null;
}

export interface TargetView {
  /** `codex/gpt-5.5`. */
  readonly target: string;
  /** The only credential that it may use. */
  readonly credential: string | null;
  readonly paid: boolean;
  /** `unused`: another target before it leaves nothing to it, or the route is strict. */
  readonly state: "serving" | "ready" | "blocked" | "unused";
  readonly words: string;
  readonly command: string | null;
}

/** One line of the timeline. */
export interface TurnRow {
  readonly id: string;
  readonly route: string;
  readonly startedAt: number;
  /** Null while it is under way. */
  readonly endedAt: number | null;
  readonly outcome: TurnOutcome | "running";
  readonly steps: readonly StepView[];
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number } | null;
  /** What it cost in USD, where a price is known. */
  readonly usd: number | null;
}

/** One attempt. */
export interface StepView {
  readonly target: string;
  readonly label: string;
  readonly state: "asked" | "answered" | "cut" | "failed";
  /** Why it failed, or broke off. */
  readonly reason: Reason | null;
}

/** A turn with its whole reasoning: the same lines as `understudy why` prints. */
export interface TurnDetail {
  readonly row: TurnRow;
  readonly lines: readonly ExplainedLine[];
}

/** The last hours in steps of equal length, the oldest first. All lists have one entry per step. */
export interface Activity {
  readonly stepMs: number;
  /** Begin of the first step. */
  readonly from: number;
  /** Answered by the first who was asked. */
  readonly straight: readonly number[];
  /** Answered by somebody else. */
  readonly rescued: readonly number[];
  /** Not answered, or not to the end. */
  readonly lost: readonly number[];
  /** How long turns waited before the attempt that answered began, in ms: refreshes, failed tries, waits. Null: no turn. */
  readonly addedP50: readonly (number | null)[];
  readonly addedP95: readonly (number | null)[];
  /** Failed attempts by reason, the most frequent first. */
  readonly failures: readonly { readonly reason: Reason; readonly words: string; readonly counts: readonly number[] }[];
  /** True when the journal holds older turns of these hours that were not counted. */
  readonly partial: boolean;
}

/** What the live stream says, one event each. */
export type LiveMessage =
  | { readonly type: "state"; readonly state: PageState }
  /** New turns, and those that changed. */
  | { readonly type: "turns"; readonly turns: readonly TurnRow[] }
  | { readonly type: "activity"; readonly activity: Activity }
  /** Nothing can be read now; the stream ends. */
  | { readonly type: "trouble"; readonly message: string };

/** What a sign-in says, one event each; the last is `signed-in` or `failed`. */
export type SignInMessage =
  | {
      readonly type: "code";
      readonly id: string;
      readonly verificationUrl: string;
      /** The address with the code already in it; null when the server has none. */
      readonly completeVerificationUrl: string | null;
      readonly userCode: string;
      readonly expiresAt: number;
      /** Null for an address that is too long for one. */
      readonly qr: QrView | null;
    }
  | { readonly type: "signed-in"; readonly label: string; readonly email: string | null; readonly renewed: boolean }
  | { readonly type: "failed"; readonly message: string };

/** What a provider says it has. */
export interface ModelsView {
  readonly models: readonly string[];
  /** Why it can't be asked now; then any name may be typed. */
  readonly problem: string | null;
}

/** What comes of a key that was entered. */
export interface KeyAdded {
  readonly label: string;
  /** False when the provider had this key already; then it is used again, under the label that was given. */
  readonly isNew: boolean;
}

/** A QR code as the path of an SVG whose viewBox is `0 0 size size`. */
export interface QrView {
  readonly size: number;
  readonly path: string;
}

/** What a change of a route's order says. */
export interface RouteOrder {
  /** The targets as the page shows them, so that nothing is written over somebody else's change. */
  readonly seen: readonly string[];
  /** Their new order: numbers of `seen`. */
  readonly order: readonly number[];
}
