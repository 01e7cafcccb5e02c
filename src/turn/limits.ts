/** The limits of a turn. */
export interface TurnLimits {
  /** How long a turn may wait in all for a candidate to recover, in ms. */
  readonly maxWaitMs: number;
  /** From sending a request until its first event, in ms. */
  readonly firstEventMs: number;
  /** Between two signs of life of a stream, and for a whole answer that is no stream, in ms. */
  readonly idleMs: number;
  /** Events held back at most before the answer is passed on, content or not. */
  readonly holdEvents: number;
  /** Bytes held back at most before the answer is passed on, content or not. */
  readonly holdBytes: number;
}

export const defaultLimits: TurnLimits = {
  maxWaitMs: 30_000,
  firstEventMs: 120_000,
  idleMs: 300_000,
  holdEvents: 64,
  holdBytes: 256 * 1024,
};
