import { toAbortSignal } from "../core/cancel.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { AttemptRecord, Candidate, Cost, TurnEvent, TurnRecord } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { costOf } from "../core/price.ts";
import type { Route } from "../core/target.ts";
import type { StreamEnd } from "./answer-stream.ts";
import { clearAfterSuccess } from "./bench.ts";
import { type CallerAnswer, usageOf } from "./caller-answer.ts";
import type { BlockedCandidate } from "./candidates.ts";
import type { Successor } from "./continuation.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import type { TurnOptions } from "./turn-options.ts";
import { leftOut, toCandidate, TurnLog } from "./turn-log.ts";
import { toCanonical } from "./upstream-request.ts";
import { beginWalk, type Found, type Lost } from "./walk.ts";

/** A turn at its commit point, or at its end without an answer. */
export type TurnResult =
  | {
      readonly ok: true;
      readonly turnId: string;
      readonly candidate: Candidate;
      /** Candidates tried, the one that answers included. */
      readonly attempts: number;
      /** True when somebody else than the primary, or than the first candidate tried, answers. */
      readonly switched: boolean;
      readonly status: number;
      /** The upstream's headers. */
      readonly headers: Readonly<Record<string, string>>;
      /** In words, what of the request could not be carried to who answers. */
      readonly dropped: readonly string[];
      /** Read it to its end, or close it. */
      readonly answer: CallerAnswer;
      /** Settles when the answer was read to its end or closed. */
      readonly done: Promise<TurnRecord>;
    }
  | {
      readonly ok: false;
      readonly turnId: string;
      readonly outcome: "failed" | "cancelled";
      /** The failure that decided; null when no candidate could even be tried. */
      readonly failure: Failure | null;
      readonly attempts: readonly AttemptRecord[];
      /** Who could not be tried at all, and why. */
      readonly blocked: readonly BlockedCandidate[];
      /** Unix ms at which somebody recovers; null when nobody will without a person's help. */
      readonly nearestRecovery: number | null;
    };

/**
 * Runs one turn: tries the candidates of the route in line, holds each answer until its commit point, and moves on as
 * `decide` says. Every switch is told to `onEvent` and kept in the journal (R10). Rejects only for bugs and for a store
 * that can't be read.
 */
export async function runTurn(runtime: TurnRuntime, request: TurnRequest, options: TurnOptions): Promise<TurnResult> {
  const { store, clock } = runtime;
  const { route } = options;
  const began = runtime.stopwatch?.();
  const log = new TurnLog(runtime.newTurnId(), route.name, clock, listeners(runtime.observeTurn?.(), options.onEvent));
  /** Aborts when the answer is closed: nobody is looked for any more. Null where nobody ever is. */
  const left = route.continue === "text" ? new AbortController() : null;
  const walk = await beginWalk({ runtime, request, options: endingWith(left, options), log, findSuccessor });
  /** Whose answer goes to the caller; null before, and after it broke off. */
  let serving: Found | null = null;
  /** What answers that broke off and were gone on in have cost. */
  let spent: Cost | null = null;
  /** True while somebody is looked for to go on, and for good when the caller left meanwhile. */
  let isSearching = false;

  const found = await walk.find(null);
  return found.ok ? commit(found) : fail(found);

  /** The answer broke off after its caller had seen some of it: looks for somebody to go on. */
  async function findSuccessor(said: string, cut: Failure): Promise<Successor | null> {
    const broken = serving;
    if (broken === null || walk.isGivenUp() || !canBeGoneOn(request)) return null;
    serving = null;
    broken.leave();
    spend(broken);
    isSearching = true;
    const found = await walk.findAfter(broken, cut, said).catch((error: unknown) => {
      isSearching = false;
      throw error;
    });
    if (!found.ok) {
      isSearching = found.outcome === "cancelled";
      return null;
    }
    if (left?.signal.aborted === true) {
      found.leave();
      await found.tried.answer.close();
      return null;
    }
    isSearching = false;
    serve(found);
    const { provider, model, credential } = toCandidate(found.candidate);
    const name = `${provider}/${model}/${credential.label}`;
    const { answer, prefilled, dropped } = found.tried;
    return { answer, prefilled, name, dropped };
  }

  /** From now on this one's answer goes to the caller. `since`: when the turn began, by the stopwatch, if no caller has read since. */
  function serve(found: Found, since?: number): void {
    const { candidate, startedAt } = found;
    serving = found;
    const dropped = leftOut(found.tried.dropped);
    log.add({ candidate: toCandidate(candidate), startedAt, called: true, ...dropped, failure: null, decision: null });
    const now = runtime.stopwatch?.();
    const overhead = now === undefined || since === undefined ? {} : { overheadMs: now - since - walk.elsewhereMs };
    log.tell({
      type: "committed",
      attempt: log.attempts.length,
      candidate: toCandidate(candidate),
      ...overhead,
      ...dropped,
    });
  }

  /** Counts what this one's answer has cost, as far as it came. */
  function spend({ candidate, tried }: Found): void {
    const { target } = candidate;
    const usage = usageOf(tried.answer.end());
    const reported = runtime.findProvider(target.provider)?.reportsUsd === true ? usage?.reportedCost : undefined;
    const cost = costOf(usage, runtime.priceOf?.(target) ?? null, reported);
    if (cost !== null) spent = { ...cost, usd: cost.usd + (spent?.usd ?? 0) };
  }

  function commit(found: Found): TurnResult {
    const { candidate, tried } = found;
    const first = log.attempts[0]?.candidate;
    const served = toCandidate(candidate);
    serve(found, began);
    const { answer, done } = watchEnd(tried.answer, async () => {
      const end = tried.answer.end();
      const outcome = isSearching ? "cancelled" : outcomeOf(end);
      left?.abort(answerClosed);
      const cut = outcome === "cut" && end?.kind === "cut" ? end.failure : null;
      let cooldown: Cooldown | null = null;
      const who = serving;
      if (who !== null) spend(who);
      who?.leave();
      if (cut !== null && who !== null) {
        walk.tellRelogin(who.candidate, cut);
        cooldown = await walk.benchFor(who, cut);
        log.cutLast(cut, cooldown);
      }
      const record = log.end(outcome, { usage: usageOf(end), cost: spent, cut, cooldown });
      await walk.settled();
      if (outcome === "answered" && who !== null)
        await walk.written(clearAfterSuccess(store, who.candidate, who.startedAt));
      await walk.written(store.appendTurn(record));
      return record;
    });
    return {
      ok: true,
      turnId: log.turnId,
      candidate: served,
      attempts: log.attempts.length,
      switched: !isPrimary(route, served) || (first !== undefined && first.credential.id !== served.credential.id),
      status: tried.status,
      headers: tried.headers,
      dropped: tried.dropped,
      answer,
      done,
    };
  }

  async function fail({ failure, outcome }: Lost): Promise<TurnResult> {
    const { candidates, nearestRecovery } = walk;
    await walk.settled();
    await walk.written(store.appendTurn(log.end(outcome, { usage: null, cost: null })));
    return {
      ok: false,
      turnId: log.turnId,
      outcome,
      failure,
      attempts: log.attempts,
      blocked: candidates.blocked,
      nearestRecovery,
    };
  }
}

/** One for all: an abort without a reason makes an error of its own, with a stack, each time. */
const answerClosed = new Error("the answer has ended");

function endingWith(left: AbortController | null, options: TurnOptions): TurnOptions {
  if (left === null) return options;
  const signals = options.signal === undefined ? [left.signal] : [toAbortSignal(options.signal), left.signal];
  return { ...options, signal: AbortSignal.any(signals) };
}

/** An answer that has to be JSON as a whole can't be put together from two. */
function canBeGoneOn(request: TurnRequest): boolean {
  try {
    return toCanonical(request).request.responseFormat === undefined;
  } catch {
    return false;
  }
}

/** An answer that nobody read to its end was given up by the caller, whichever of the two noticed first. */
function outcomeOf(end: StreamEnd | null): "answered" | "cut" | "cancelled" {
  if (end === null) return "cancelled";
  if (end.kind === "complete") return "answered";
  return end.failure.reason === "cancelled" ? "cancelled" : "cut";
}

type Listener = (event: TurnEvent) => void;

function listeners(first: Listener | undefined, second: Listener | undefined): Listener | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (event) => {
    first(event);
    second(event);
  };
}

function isPrimary({ targets }: Route, { provider, model }: Candidate): boolean {
  return targets[0]?.provider === provider && targets[0].model === model;
}

/** The answer, with `onEnd` called once when it was read to its end, given up, or closed. */
function watchEnd(
  answer: CallerAnswer,
  onEnd: () => Promise<TurnRecord>,
): { answer: CallerAnswer; done: Promise<TurnRecord> } {
  let ended = false;
  const { promise: done, resolve, reject } = Promise.withResolvers<TurnRecord>();
  // Nobody has to wait for it.
  done.catch(() => {});

  async function end(): Promise<void> {
    if (ended) return;
    ended = true;
    await onEnd().then(resolve, reject);
  }

  return {
    answer: {
      ...answer,
      bytes: () => withEnd(answer.bytes(), end),
      async pour(taker) {
        try {
          await answer.pour(taker);
        } finally {
          await end();
        }
      },
      parts: () => withEnd(answer.parts(), end),
      close: async () => {
        await answer.close();
        await end();
      },
    },
    done,
  };
}

/** `items`, with `end` awaited before their end is told. No generator of its own, which would cost for every item. */
function withEnd<T>(items: AsyncGenerator<T>, end: () => Promise<void>): AsyncGenerator<T> {
  const step = async (taken: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    try {
      const result = await taken;
      if (result.done === true) await end();
      return result;
    } catch (error) {
      await end();
      throw error;
    }
  };
  const watched: AsyncGenerator<T> = {
    next: () => step(items.next()),
    return: (value: unknown) => step(items.return(value)),
    throw: (error: unknown) => step(items.throw(error)),
    [Symbol.asyncIterator]: () => watched,
    async [Symbol.asyncDispose]() {
      await watched.return(undefined);
    },
  };
  return watched;
}
