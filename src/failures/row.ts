import type { Next, Reason, Scope } from "../core/failure.ts";
import type { ProtocolName } from "../core/target.ts";
import type { Phase } from "./evidence.ts";

/**
 * One rule of the failure table: where it applies, what it matches, what it yields. Plain data, so that rows can also
 * come from a configuration file and `docs/errors.md` can be written from them.
 */
export interface Row {
  /** Kebab-case, unique in the table. Shown to people, as `Failure.row`. */
  readonly name: string;
  readonly where?: Where;
  readonly match: Match;
  /**
   * True for what providers use for several things at once: a bare status, a type such as `invalid_request_error`. Such
   * a row decides only after the rows that read the message.
   */
  readonly fallback?: boolean;
  readonly reason: Reason;
  /** Only where it differs from the reason's own; see `reasons.ts`. */
  readonly scope?: Scope;
  /** Only where it differs from the reason's own. */
  readonly next?: Next;
  /** Only where it differs from the reason's own. */
  readonly reloginRequired?: boolean;
  /** Where the time of recovery is looked for, first hit wins. Missing: the reason's own list. Empty: nowhere. */
  readonly retryAt?: readonly ResetReader[];
  /** A row of a user's configuration: asked before the built-in ones (see `rankOf`), and its patterns see less of a text. */
  readonly own?: true;
}

/** What the name of a user's own row begins with. No built-in row's does. */
export const ownRowPrefix = "config:";

/** A row of the built-in table: it names its proof. */
export interface ProvenRow extends Row {
  /** File under `test/fixtures/failures/`: a failure as received on the wire, which this row decides. */
  readonly fixture: string;
  /** Where the fact comes from. */
  readonly source: string;
}

/** Every field that is given must hold. */
export interface Where {
  readonly protocols?: readonly ProtocolName[];
  /** Provider ids. */
  readonly providers?: readonly string[];
  readonly phases?: readonly Phase[];
}

/** Every field that is given must hold. Names are compared without regard to case. */
export interface Match {
  /** HTTP statuses. 0 stands for a good one, or none that is known of an answer that had begun: a failure inside a stream, or inside a 200. */
  readonly status?: readonly number[] | StatusRange;
  /**
   * The provider's codes. Dialects disagree whether a name is called code or type, so these names are looked for in the
   * type as well, one rank later.
   */
  readonly code?: readonly string[];
  /** Names that mean this only as a type. A row with both a code and a type needs both. */
  readonly type?: readonly string[] | RegExp;
  readonly param?: readonly string[];
  readonly finishReason?: readonly string[];
  /** Names of stream events. */
  readonly event?: readonly string[];
  readonly headers?: readonly HeaderMatch[];
  /** Exact codes, or a pattern for a family of them. */
  readonly networkCode?: readonly string[] | RegExp;
  /** Tested against the provider's words. Keep it narrow. */
  readonly message?: RegExp;
  /** True: a web page came where an answer was due. A pattern is tested against the page. */
  readonly html?: true | RegExp;
  /** The provider's own time of recovery is at least this many milliseconds away. */
  readonly resetsInAtLeastMs?: number;
}

/** Both ends included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface HeaderMatch {
  /** Lower-case. */
  readonly name: string;
  /** Missing: the header need only be there. */
  readonly value?: RegExp;
}

/** No pattern sees more of a text than this many characters. */
export const longestTestedText = 65_536;

/** The same for the patterns of a user's own rows, which nobody has measured. */
export const longestOwnTestedText = 1_000;

/**
 * The places and forms in which providers say when it may be tried again; `reset-time.ts` reads them.
 *
 * `body-fields`: `resets_at`, `reset_at`, `resets_in_seconds`, `retry_after`, `quotaResetDelay`, … in the body or event.
 * `codex-windows`: `x-codex-primary-*` and `x-codex-secondary-*`. `unified-windows`: `anthropic-ratelimit-unified-*`.
 * `retry-after`: `retry-after-ms` and `retry-after`. `ratelimit-windows`: `x-ratelimit-reset*` and `anthropic-ratelimit-*-reset`.
 * `prose`: "try again in 1h 2m" and its like in the message.
 */
export const resetReaders = [
  "body-fields",
  "codex-windows",
  "unified-windows",
  "retry-after",
  "ratelimit-windows",
  "prose",
] as const;
export type ResetReader = (typeof resetReaders)[number];
