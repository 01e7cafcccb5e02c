import type { Ending } from "./play.ts";

/** One request as a role saw it. Secrets in it are replaced by `<their name>`. */
export interface RecordedRequest {
  /** 1 for the first request that any role of the simulator received, and so on. */
  readonly order: number;
  /** Unix ms, by the simulator's clock. */
  readonly at: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON value, the fields of a form, or the text if it is neither; null when there was none. */
  readonly body: unknown;
  /** Name of the key or account that was presented and is known; null otherwise. */
  readonly credential: string | null;
  /** Name of the behaviour that answered it; null when it never came to that. */
  readonly behaviour: string | null;
  /** False when the role has nothing at this path and method. */
  readonly planned: boolean;
  /** Why the role itself refused it, in words: a missing header, a body it does not accept. */
  readonly refused: string | null;
  /** The status it was given; null until then, and when no head was sent. */
  readonly status: number | null;
  /** Null while it is being answered. */
  readonly ending: Ending | null;
}

/** The same while it is being filled in. */
export type OpenRecord = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] };
