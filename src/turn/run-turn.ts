import { toAbortSignal } from "../core/cancel.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { AttemptRecord, Candidate, Cost, TurnEvent, TurnRecord } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { costOf } from "../core/price.ts";
import { type Soon, soon } from "../core/soon.ts";
import type { Route } from "../core/target.ts";
import type { StreamEnd } from "./answer-stream.ts";
import { clearAfterSuccess } from "./bench.ts";
import { type CallerAnswer, usageOf } from "./caller-answer.ts";
import type { BlockedCandidate } from "./candidates.ts";
import type { Successor } from "./continuation.ts";
import { ForgivingStore } from "./forgiving-store.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { ServedAnswer } from "./served-answer.ts";
import type { TurnOptions } from "./turn-options.ts";
import { leftOut, TurnLog } from "./turn-log.ts";
import { toCanonical } from "./upstream-request.ts";
import { beginWalk, type Found, type Lost, type Walk, type WalkInput } from "./walk.ts";

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
      /** The same, where it is known already; else null. */
      readonly record: TurnRecord | null;
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
export function runTurn(runtime: TurnRuntime, request: TurnRequest, options: TurnOptions): Promise<TurnResult> {
  return new RunningTurn(runtime, request, options).run();
}

/** One turn from its beginning until its record is stored. */
class RunningTurn {
  readonly #runtime: TurnRuntime;
  readonly #request: TurnRequest;
  readonly #route: Route;
  readonly #began: number | undefined;
  readonly #log: TurnLog;
  /** Aborts when the answer is closed: nobody is looked for any more. Null where nobody ever is. */
  readonly #left: AbortController | null;
  readonly #store: ForgivingStore;
  readonly #walking: WalkInput;
  #walk: Walk | null = null;
  /** Whose answer goes to the caller; null before, and after it broke off. */
  #serving: Found | null = null;
  /** What answers that broke off and were gone on in have cost. */
  #spent: Cost | null = null;
  /** True while somebody is looked for to go on, and for good when the caller left meanwhile. */
  #isSearching = false;

  constructor(runtime: TurnRuntime, request: TurnRequest, options: TurnOptions) {
    const { route } = options;
    this.#runtime = runtime;
    this.#request = request;
    this.#route = route;
    this.#began = runtime.stopwatch?.();
    const observers = listeners(runtime.observeTurn?.(), options.onEvent);
    const log = new TurnLog(runtime.newTurnId(), route.name, runtime.clock, observers);
    this.#log = log;
    this.#store = new ForgivingStore(runtime.store, log);
    const left = route.continue === "text" ? new AbortController() : null;
    this.#left = left;
    this.#walking = {
      runtime,
      request,
      options: endingWith(left, options),
      log,
      store: this.#store,
      findSuccessor: left === null ? null : (said, cut) => this.#findSuccessor(said, cut),
    };
  }

  async run(): Promise<TurnResult> {
    const begun = beginWalk(this.#walking);
    const walk = begun instanceof Promise ? await begun : begun;
    this.#walk = walk;
    const found = await walk.find(null);
    if (!found.ok) return this.#fail(walk, found);
    try {
      return this.#commit(found);
    } catch (error) {
      found.leave();
      await found.tried.answer.close();
      throw error;
    }
  }

  /** The answer broke off after its caller had seen some of it: looks for somebody to go on. */
  async #findSuccessor(said: string, cut: Failure): Promise<Successor | null> {
    const broken = this.#serving;
    const walk = this.#walk;
    if (broken === null || walk === null || walk.isGivenUp() || !canBeGoneOn(this.#request)) return null;
    this.#serving = null;
    broken.leave();
    this.#spend(broken);
    this.#isSearching = true;
    const found = await walk.findAfter(broken, cut, said).catch((error: unknown) => {
      this.#isSearching = false;
      throw error;
    });
    if (!found.ok) {
      this.#isSearching = found.outcome === "cancelled";
      return null;
    }
    if (this.#left?.signal.aborted === true) {
      found.leave();
      await found.tried.answer.close();
      return null;
    }
    this.#isSearching = false;
    this.#serve(found);
    const { provider, model, credential } = found.shown;
    const name = `${provider}/${model}/${credential.label}`;
    const { answer, prefilled, dropped } = found.tried;
    return { answer, prefilled, name, dropped };
  }

  /** From now on this one's answer goes to the caller. `overheadMs`: what the turn took besides, if no caller has read since it began. */
  #serve(found: Found, overheadMs?: number): void {
    const { shown: candidate, startedAt } = found;
    const log = this.#log;
    this.#serving = found;
    const dropped = leftOut(found.tried.dropped);
    log.add({ candidate, startedAt, called: true, ...dropped, failure: null, decision: null });
    const overhead = overheadMs === undefined ? {} : { overheadMs };
    log.tell({ type: "committed", attempt: log.attempts.length, candidate, ...overhead, ...dropped });
  }

  /** Counts what this one's answer has cost, as far as it came. */
  #spend({ candidate, tried }: Found): void {
    const { target } = candidate;
    const usage = usageOf(tried.answer.end());
    const reported = this.#runtime.findProvider(target.provider)?.reportsUsd === true ? usage?.reportedCost : undefined;
    const cost = costOf(usage, this.#runtime.priceOf?.(target) ?? null, reported);
    if (cost !== null) this.#spent = { ...cost, usd: cost.usd + (this.#spent?.usd ?? 0) };
  }

  #commit(found: Found): TurnResult {
    const { shown, tried } = found;
    const log = this.#log;
    const first = log.attempts[0]?.candidate;
    const now = this.#runtime.stopwatch?.();
    const since = this.#began;
    this.#serve(
      found,
      now === undefined || since === undefined ? undefined : now - since - (this.#walk?.elsewhereMs ?? 0),
    );
    const isSwitched =
      !isPrimary(this.#route, shown) || (first !== undefined && first.credential.id !== shown.credential.id);
    const answer = new ServedAnswer(tried.answer, () => this.#end(tried.answer.end()));
    return new Committed(log.turnId, shown, log.attempts.length, isSwitched, tried, answer);
  }

  /** The answer has ended so. */
  #end(end: StreamEnd | null): Soon<TurnRecord> {
    const outcome = this.#isSearching ? "cancelled" : outcomeOf(end);
    this.#left?.abort(answerClosed);
    const who = this.#serving;
    if (who !== null) this.#spend(who);
    who?.leave();
    if (outcome === "cut" && end?.kind === "cut") return this.#endCut(end, who);
    return this.#keep(
      this.#log.end(outcome, { usage: usageOf(end), cost: this.#spent }),
      outcome === "answered" ? who : null,
    );
  }

  async #endCut(end: Extract<StreamEnd, { kind: "cut" }>, who: Found | null): Promise<TurnRecord> {
    const { failure: cut } = end;
    let cooldown: Cooldown | null = null;
    if (who !== null && this.#walk !== null) {
      this.#walk.tellRelogin(who.candidate, cut);
      cooldown = await this.#walk.benchFor(who, cut);
      this.#log.cutLast(cut, cooldown);
    }
    return this.#keep(this.#log.end("cut", { usage: usageOf(end), cost: this.#spent, cut, cooldown }), null);
  }

  /** Stores what the turn leaves behind, in this order: rests, what `served` has cleared, the record. */
  #keep(record: TurnRecord, served: Found | null): Soon<TurnRecord> {
    const kept = this.#store;
    const cleared = soon(kept.settled(), () =>
      served === null ? undefined : kept.write((store) => clearAfterSuccess(store, served.candidate, served.startedAt)),
    );
    const appended = soon(cleared, () => kept.write((store) => store.appendTurn(record)));
    return soon(appended, () => record);
  }

  async #fail(walk: Walk, { failure, outcome }: Lost): Promise<TurnResult> {
    const log = this.#log;
    await this.#keep(log.end(outcome, { usage: null, cost: null }), null);
    return {
      ok: false,
      turnId: log.turnId,
      outcome,
      failure,
      attempts: log.attempts,
      blocked: walk.candidates.blocked,
      nearestRecovery: walk.nearestRecovery,
    };
  }
}

/** A turn at its commit point. */
class Committed {
  readonly ok = true as const;
  readonly turnId: string;
  readonly candidate: Candidate;
  readonly attempts: number;
  readonly switched: boolean;
  readonly answer: ServedAnswer;
  readonly #tried: Found["tried"];

  constructor(
    turnId: string,
    candidate: Candidate,
    attempts: number,
    switched: boolean,
    tried: Found["tried"],
    answer: ServedAnswer,
  ) {
    this.turnId = turnId;
    this.candidate = candidate;
    this.attempts = attempts;
    this.switched = switched;
    this.answer = answer;
    this.#tried = tried;
  }

  get status(): number {
    return this.#tried.status;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#tried.headers;
  }

  get dropped(): readonly string[] {
    return this.#tried.dropped;
  }

  get record(): TurnRecord | null {
    return this.answer.record;
  }

  get done(): Promise<TurnRecord> {
    return this.answer.done;
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
