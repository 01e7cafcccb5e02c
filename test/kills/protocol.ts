/** The named steps of a refresh at which a process may end or stand still. */
export const steps = ["before the claim", "claimed", "sending", "answered", "written"] as const;
export type Step = (typeof steps)[number];

/** What a worker is told at its start. */
export interface WorkerOrders {
  /** Path or address of the store. */
  readonly place: string;
  /** Ids of the logins it keeps good. */
  readonly logins: readonly string[];
  /** False: it plays a process on another machine, which can't look whether an owner lives. */
  readonly sameMachine: boolean;
  readonly refreshTimeoutMs: number;
  readonly claimMs: number;
  /** Between two looks at a login. */
  readonly pauseMs: number;
  /** The sign-in server of the provider "oidc", which is none of the built-in ones. */
  readonly oidc?: { readonly issuer: string; readonly clientId: string };
  /** The nth time that it reaches `step`, it sends itself this signal. */
  readonly at?: { readonly step: Step; readonly nth: number; readonly signal: "SIGKILL" | "SIGSTOP" };
}

/** What a worker tells, a line each. Times are Unix ms. */
export type Line =
  | { readonly type: "ready" }
  | { readonly type: "hit"; readonly step: Step }
  | {
      readonly type: "spend";
      readonly id: string;
      readonly generation: number;
      readonly replay: boolean;
      readonly at: number;
    }
  | {
      readonly type: "outcome";
      readonly id: string;
      readonly generation: number;
      readonly kind: string;
      readonly at: number;
    }
  | {
      readonly type: "settled";
      readonly id: string;
      readonly generation: number;
      readonly at: number;
      readonly counted: boolean;
    }
  | { readonly type: "relogin"; readonly id: string; readonly generation: number; readonly message: string };
