import { type Cooldown, healsByItself } from "../core/cooldown.ts";
import { decide, type Decision } from "../core/decide.ts";
import type { AttemptRecord, Candidate, Cost, TurnEvent, TurnRecord } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { costOf } from "../core/price.ts";
import type { Route, Target } from "../core/target.ts";
import { type Credential, needsRelogin } from "../credentials/credential.ts";
import { reloginFailure } from "../credentials/keeper-failures.ts";
import { repairCommand } from "./advice.ts";
import type { StreamEnd } from "./answer-stream.ts";
import { clearAfterSuccess, isBenching, outlastsTurn, planCooldown, withoutBenched } from "./bench.ts";
import { type CallerAnswer, usageOf } from "./caller-answer.ts";
import { type BlockedCandidate, type Candidates, coolingLogins, listCandidates } from "./candidates.ts";
import type { Successor } from "./continuation.ts";
import { createHabitLedger } from "./habits.ts";
import type { LineCandidate } from "./line.ts";
import { type Repaired, Repairs } from "./repairs.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { type GoOn, type TryResult, tryCandidate } from "./try-candidate.ts";
import { restsUntil, toCandidate, TurnLog } from "./turn-log.ts";
import { toCanonical } from "./upstream-request.ts";

export interface TurnOptions {
  readonly route: Route;
  /** Gives up the turn: nothing is counted against anybody. */
  readonly signal?: AbortSignal;
  /** Told everything that happens, as it happens. Must not throw. */
  readonly onEvent?: (event: TurnEvent) => void;
  /** The credential that served this conversation before. */
  readonly preferredCredentialId?: string;
}

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

/** What comes after a failure, and who or what rests because of it. */
interface Next {
  readonly decision: Decision;
  readonly cooldown: Cooldown | null;
}

/** Who answers. */
interface Found {
  readonly ok: true;
  readonly candidate: LineCandidate;
  /** Unix ms. */
  readonly startedAt: number;
  readonly tried: Extract<TryResult, { ok: true }>;
  /** To be called when its answer has ended. */
  readonly leave: () => void;
}

/** Nobody answers. */
interface Lost {
  readonly ok: false;
  readonly failure: Failure | null;
  readonly outcome: "failed" | "cancelled";
}

/** The first wait of a turn takes at least this long, each further one twice as long, in ms. */
const shortestWaitMs = 1_000;

/**
 * Runs one turn: tries the candidates of the route in line, holds each answer until its commit point, and moves on as
 * `decide` says. Every switch is told to `onEvent` and kept in the journal (R10). Rejects only for bugs and for a store
 * that can't be read.
 */
export async function runTurn(runtime: TurnRuntime, request: TurnRequest, options: TurnOptions): Promise<TurnResult> {
  const { store, clock, random, limits } = runtime;
  const { route, signal } = options;
  const began = runtime.stopwatch?.();
  /** Spent by providers, token endpoints and waits, in ms. */
  let elsewhereMs = 0;
  const log = new TurnLog(runtime.newTurnId(), route.name, clock, listeners(runtime.observeTurn?.(), options.onEvent));
  const retries = new Map<Target, number>();
  const refreshed = new Set<string>();
  /** Credentials with the tokens they had when last used in this turn. */
  const latest = new Map<string, Credential>();
  let candidates = await listCandidates(runtime, route, options.preferredCredentialId);
  runtime.keeper.tend(coolingLogins(candidates));
  let { line, nearestRecovery } = candidates;
  let waitLeftMs = limits.maxWaitMs;
  let waits = 0;
  const repairs = new Repairs(runtime.habits ?? createHabitLedger());
  let rejected = false;
  let last: { candidate: LineCandidate; failure: Failure } | null = null;
  /** Whose answer goes to the caller; null before, and after it broke off. */
  let serving: Found | null = null;
  /** What answers that broke off and were gone on in have cost. */
  let spent: Cost | null = null;
  /** True when the caller left while somebody was looked for to go on. */
  let givenUpMeanwhile = false;

  const found = await search(null);
  return found.ok ? commit(found) : fail(found);

  /** Tries the candidates in line until one answers or nobody is left. `goOn`: it is to go on from what another has said. */
  async function search(goOn: GoOn | null): Promise<Found | Lost> {
    let mayPrefill = true;
    for (;;) {
      const candidate = line.current;
      if (candidate === null) {
        const recovery = waitEnd();
        if (recovery === null || recovery - clock.now() > waitLeftMs) return lost(last?.failure ?? null);
        if (!(await waitUntil(recovery))) return lost(null, "cancelled");
        continue;
      }
      const startedAt = clock.now();
      announce(candidate);
      const repaired = repairs.for(candidate.target);
      const leave = runtime.load?.enter(candidate.credential.id) ?? (() => {});
      const tried = await tryCandidate({
        runtime,
        request,
        turnId: log.turnId,
        target: candidate.target,
        credential: latest.get(candidate.credential.id) ?? candidate.credential,
        rejected,
        repaired,
        ...(goOn === null ? {} : { goOn: { ...goOn, mayPrefill } }),
        ...(goOn === null && route.continue === "text" ? { findSuccessor } : {}),
        ...(signal === undefined ? {} : { signal }),
      }).catch((error: unknown) => {
        leave();
        throw error;
      });
      rejected = false;
      elsewhereMs += tried.elsewhereMs;
      latest.set(tried.credential.id, tried.credential);
      if (tried.refresh !== null) {
        log.tell({ type: "token-refresh", candidate: toCandidate(candidate), outcome: tried.refresh });
      }
      if (tried.ok) {
        // Its token lives for now, but this turn has learnt that it can't be renewed: said once, when it is learnt.
        const { credential } = tried;
        if (credential.kind === "oauth" && needsRelogin(credential) && !needsRelogin(candidate.credential)) {
          tellRelogin(candidate, reloginFailure(credential));
        }
        return { ok: true, candidate, startedAt, tried, leave };
      }
      leave();

      const { failure, called } = tried;
      const cancelled = failure.reason === "cancelled" && isGivenUp();
      const refusesPrefill = tried.prefilled === true && failure.reason === "invalid_request";
      if (refusesPrefill) mayPrefill = false;
      const { decision, cooldown }: Next = cancelled
        ? { decision: { action: "stop" }, cooldown: null }
        : refusesPrefill
          ? { decision: { action: "repair" }, cooldown: null }
          : await decideNext(candidate, failure, startedAt, repaired);
      log.add({ candidate: toCandidate(candidate), startedAt, called, failure, decision, ...restsUntil(cooldown) });
      tellFailed(candidate, failure, decision, cooldown);
      if (cancelled) return lost(failure, "cancelled");
      if (decision.action === "repair" && !refusesPrefill) repairs.add(candidate.target, failure);
      const stopped = await follow(decision, candidate, failure);
      if (stopped !== null) return stopped;
    }
  }

  /** Does what was decided; what the turn has come to if it ends here. */
  async function follow(decision: Decision, candidate: LineCandidate, failure: Failure): Promise<Lost | null> {
    switch (decision.action) {
      case "stop":
      case "give_up":
        return lost(failure);
      case "retry":
        retries.set(candidate.target, (retries.get(candidate.target) ?? 0) + 1);
        return (await sleep(decision.delayMs)) ? null : lost(failure, "cancelled");
      case "refresh":
        refreshed.add(candidate.credential.id);
        rejected = true;
        return null;
      case "repair":
        return null;
      case "next_credential":
        line = line.nextCredential();
        return null;
      case "next_target":
        line = line.nextTarget();
        return null;
      case "wait":
        return (await waitUntil(decision.untilMs)) ? null : lost(failure, "cancelled");
    }
  }

  function isGivenUp(): boolean {
    return signal?.aborted === true || runtime.closing?.aborted === true;
  }

  function tellFailed(candidate: LineCandidate, failure: Failure, decision: Decision, cooldown: Cooldown | null): void {
    const resting = cooldown === null ? {} : { cooldown };
    const attempt = log.attempts.length;
    log.tell({ type: "attempt-failed", attempt, candidate: toCandidate(candidate), failure, decision, ...resting });
    tellRelogin(candidate, failure);
    last = { candidate, failure };
  }

  /**
   * The answer broke off after its caller had seen some of it: looks for somebody to go on. Who broke off is not asked again while there is
   * anybody else.
   */
  async function findSuccessor(said: string, cut: Failure): Promise<Successor | null> {
    const broken = serving;
    if (broken === null || isGivenUp() || !canBeGoneOn(request)) return null;
    serving = null;
    broken.leave();
    spend(broken);
    const elsewhere = cut.next === "retry" || cut.next === "repair" ? { ...cut, next: "next_target" as const } : cut;
    const { candidate, startedAt } = broken;
    const { decision, cooldown } = await decideNext(
      candidate,
      elsewhere,
      startedAt,
      repairs.for(candidate.target),
      true,
    );
    log.cutLast(cut, cooldown, decision);
    tellFailed(candidate, cut, decision, cooldown);
    const found = (await follow(decision, candidate, cut)) ?? (await search({ said }));
    if (!found.ok) {
      if (found.outcome === "cancelled") givenUpMeanwhile = true;
      return null;
    }
    serve(found);
    const { provider, model, credential } = toCandidate(found.candidate);
    const name = `${provider}/${model}/${credential.label}`;
    return { answer: found.tried.answer, prefilled: found.tried.prefilled, name };
  }

  /** When the attempt began, or when its token was obtained, if that was later. */
  function triedAt({ credential }: LineCandidate, startedAt: number): number {
    const used = latest.get(credential.id);
    return used?.kind === "oauth" ? Math.max(startedAt, used.grant.obtainedAt) : startedAt;
  }

  /** Weighs the failure against what is left, and benches whom it concerns. */
  async function decideNext(
    candidate: LineCandidate,
    failure: Failure,
    startedAt: number,
    sent: Repaired,
    isCut = false,
  ): Promise<Next> {
    const now = clock.now();
    const standing = line;
    const rest = await known(withoutBenched(store, standing, now), { line: standing, recovery: null });
    line = rest.line;
    const cooldown = await known(planCooldown(store, candidate, failure, now, triedAt(candidate, startedAt)), null);
    // A failure that benches nobody (the token endpoint asks for patience) still says when to come back.
    const own = cooldown === null ? failure.retryAt : healsByItself(cooldown.reason) ? cooldown.until : undefined;
    const recoveries = [nearestRecovery, rest.recovery, own].filter((time) => typeof time === "number");
    nearestRecovery = recoveries.length === 0 ? null : Math.min(...recoveries);
    const used = latest.get(candidate.credential.id);
    const decision = decide(
      failure,
      {
        now,
        retriesOnTarget: retries.get(candidate.target) ?? 0,
        canRefresh: used?.kind === "oauth" && !refreshed.has(used.id),
        repaired: repairs.isDone(candidate.target, failure, sent),
        credentialsLeft: line.credentialsLeft,
        othersLeft: line.othersLeft,
        nearestRecovery: waitEnd(),
        waitLeftMs,
      },
      random,
    );
    // One broken stream says nothing of the next; an empty allowance does.
    const benches = isCut ? outlastsTurn(failure) : isBenching(decision, failure);
    if (cooldown === null || !benches) return { decision, cooldown: null };
    await written(store.putCooldown(cooldown));
    return { decision, cooldown };
  }

  /** A store that can't be read in the middle of a turn leaves it with what it knows. */
  async function known<T>(reading: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      log.tell({ type: "store-unavailable", message: error instanceof Error ? error.message : String(error) });
      return otherwise;
    }
  }

  /** A store that can't be written must not end a turn that could be answered. */
  async function written(writing: Promise<unknown>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      log.tell({ type: "store-unavailable", message: error instanceof Error ? error.message : String(error) });
    }
  }

  function announce(candidate: LineCandidate): void {
    const to = toCandidate(candidate);
    if (last !== null && !isSame(last.candidate, candidate)) {
      log.tell({ type: "switched", from: toCandidate(last.candidate), to, failure: last.failure });
    }
    log.tell({ type: "attempt-start", attempt: log.attempts.length + 1, candidate: to });
  }

  function tellRelogin(candidate: LineCandidate, failure: Failure): void {
    if (!failure.reloginRequired) return;
    const command = repairCommand(failure, candidate.target.provider, candidate.credential) ?? "";
    log.tell({ type: "relogin-required", candidate: toCandidate(candidate), failure, command });
  }

  /** False when the caller gave up meanwhile. */
  async function sleep(ms: number): Promise<boolean> {
    const since = clock.now();
    const exactly = runtime.stopwatch?.() ?? 0;
    try {
      await clock.sleep(ms, signal);
      return true;
    } catch {
      return false;
    } finally {
      log.waited(clock.now() - since);
      elsewhereMs += (runtime.stopwatch?.() ?? 0) - exactly;
    }
  }

  /** When a wait would end, in Unix ms; null when there is nothing to wait for. Each wait is longer than the one before. */
  function waitEnd(): number | null {
    if (nearestRecovery === null) return null;
    return Math.max(nearestRecovery, clock.now() + shortestWaitMs * 2 ** waits);
  }

  /** Waits for a recovery and lists the candidates anew. A little jitter keeps many waiters apart. */
  async function waitUntil(untilMs: number): Promise<boolean> {
    const now = clock.now();
    const ms = Math.max(untilMs - now, 0) + random() * 250;
    waits += 1;
    waitLeftMs -= ms;
    log.tell({ type: "waiting", untilMs: now + ms });
    if (!(await sleep(ms))) return false;
    candidates = await listCandidates(runtime, route, options.preferredCredentialId);
    ({ line, nearestRecovery } = candidates);
    return true;
  }

  /** From now on this one's answer goes to the caller. */
  function serve(found: Found): void {
    const { candidate, startedAt } = found;
    serving = found;
    log.add({ candidate: toCandidate(candidate), startedAt, called: true, failure: null, decision: null });
    const now = runtime.stopwatch?.();
    const overhead = now === undefined || began === undefined ? {} : { overheadMs: now - began - elsewhereMs };
    log.tell({ type: "committed", attempt: log.attempts.length, candidate: toCandidate(candidate), ...overhead });
  }

  /** Counts what this one's answer has cost, as far as it came. */
  function spend({ candidate, tried }: Found): void {
    const cost = costOf(usageOf(tried.answer.end()), runtime.priceOf?.(candidate.target) ?? null);
    if (cost !== null) spent = { ...cost, usd: cost.usd + (spent?.usd ?? 0) };
  }

  function commit(found: Found): TurnResult {
    const { candidate, tried } = found;
    const first = log.attempts[0]?.candidate;
    const served = toCandidate(candidate);
    serve(found);
    const { answer, done } = watchEnd(tried.answer, async () => {
      const end = tried.answer.end();
      const outcome = givenUpMeanwhile ? "cancelled" : outcomeOf(end);
      const cut = outcome === "cut" && end?.kind === "cut" ? end.failure : null;
      let cooldown: Cooldown | null = null;
      const who = serving;
      if (who !== null) spend(who);
      who?.leave();
      if (cut !== null && who !== null) {
        tellRelogin(who.candidate, cut);
        // One broken stream says nothing of the next; an empty allowance does.
        if (outlastsTurn(cut)) {
          const began = triedAt(who.candidate, who.startedAt);
          cooldown = await known(planCooldown(store, who.candidate, cut, clock.now(), began), null);
        }
        log.cutLast(cut, cooldown);
        if (cooldown !== null) await written(store.putCooldown(cooldown));
      }
      const record = log.end(outcome, { usage: usageOf(end), cost: spent, cut, cooldown });
      if (outcome === "answered" && who !== null) await written(clearAfterSuccess(store, who.candidate, who.startedAt));
      await written(store.appendTurn(record));
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
    const { blocked }: Candidates = candidates;
    await written(store.appendTurn(log.end(outcome, { usage: null, cost: null })));
    return { ok: false, turnId: log.turnId, outcome, failure, attempts: log.attempts, blocked, nearestRecovery };
  }
}

function lost(failure: Failure | null, outcome: "failed" | "cancelled" = "failed"): Lost {
  return { ok: false, failure, outcome };
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

function isSame(a: LineCandidate, b: LineCandidate): boolean {
  return a.target === b.target && a.credential.id === b.credential.id;
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

  async function* watched<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* items;
    } finally {
      await end();
    }
  }

  return {
    answer: {
      ...answer,
      bytes: () => watched(answer.bytes()),
      parts: () => watched(answer.parts()),
      close: async () => {
        await answer.close();
        await end();
      },
    },
    done,
  };
}
