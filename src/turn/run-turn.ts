import { type Cooldown, healsByItself } from "../core/cooldown.ts";
import { decide, type Decision } from "../core/decide.ts";
import type { AttemptRecord, Candidate, TurnEvent, TurnRecord } from "../core/events.ts";
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
import { createHabitLedger } from "./habits.ts";
import type { LineCandidate } from "./line.ts";
import { type Repaired, Repairs } from "./repairs.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { type TryResult, tryCandidate } from "./try-candidate.ts";
import { restsUntil, toCandidate, TurnLog } from "./turn-log.ts";

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

  for (;;) {
    const candidate = line.current;
    if (candidate === null) {
      const recovery = waitEnd();
      if (recovery === null || recovery - clock.now() > waitLeftMs) return fail(last?.failure ?? null);
      if (!(await waitUntil(recovery))) return fail(null, "cancelled");
      continue;
    }
    const startedAt = clock.now();
    announce(candidate);
    const repaired = repairs.for(candidate.target);
    const tried = await tryCandidate({
      runtime,
      request,
      turnId: log.turnId,
      target: candidate.target,
      credential: latest.get(candidate.credential.id) ?? candidate.credential,
      rejected,
      repaired,
      ...(signal === undefined ? {} : { signal }),
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
      return commit(candidate, startedAt, tried);
    }

    const { failure, called } = tried;
    const cancelled = failure.reason === "cancelled" && (signal?.aborted === true || runtime.closing?.aborted === true);
    const { decision, cooldown }: Next = cancelled
      ? { decision: { action: "stop" }, cooldown: null }
      : await decideNext(candidate, failure, startedAt, repaired);
    log.add({ candidate: toCandidate(candidate), startedAt, called, failure, decision, ...restsUntil(cooldown) });
    const attempt = log.attempts.length;
    const resting = cooldown === null ? {} : { cooldown };
    log.tell({ type: "attempt-failed", attempt, candidate: toCandidate(candidate), failure, decision, ...resting });
    tellRelogin(candidate, failure);
    last = { candidate, failure };
    if (cancelled) return fail(failure, "cancelled");

    switch (decision.action) {
      case "stop":
      case "give_up":
        return fail(failure);
      case "retry":
        retries.set(candidate.target, (retries.get(candidate.target) ?? 0) + 1);
        if (!(await sleep(decision.delayMs))) return fail(failure, "cancelled");
        break;
      case "refresh":
        refreshed.add(candidate.credential.id);
        rejected = true;
        break;
      case "repair":
        repairs.add(candidate.target, failure);
        break;
      case "next_credential":
        line = line.nextCredential();
        break;
      case "next_target":
        line = line.nextTarget();
        break;
      case "wait":
        if (!(await waitUntil(decision.untilMs))) return fail(failure, "cancelled");
        break;
    }
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
    if (cooldown === null || !isBenching(decision, failure)) return { decision, cooldown: null };
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

  function commit(candidate: LineCandidate, startedAt: number, tried: Extract<TryResult, { ok: true }>): TurnResult {
    const first = log.attempts[0]?.candidate;
    const served = toCandidate(candidate);
    log.add({ candidate: served, startedAt, called: true, failure: null, decision: null });
    const now = runtime.stopwatch?.();
    const overhead = now === undefined || began === undefined ? {} : { overheadMs: now - began - elsewhereMs };
    log.tell({ type: "committed", attempt: log.attempts.length, candidate: served, ...overhead });
    const { answer, done } = watchEnd(tried.answer, async () => {
      const end = tried.answer.end();
      const outcome = outcomeOf(end);
      const cut = outcome === "cut" && end?.kind === "cut" ? end.failure : null;
      let cooldown: Cooldown | null = null;
      if (cut !== null) {
        tellRelogin(candidate, cut);
        // One broken stream says nothing of the next; an empty allowance does.
        if (outlastsTurn(cut)) {
          const tried = triedAt(candidate, startedAt);
          cooldown = await known(planCooldown(store, candidate, cut, clock.now(), tried), null);
        }
        log.cutLast(cut, cooldown);
        if (cooldown !== null) await written(store.putCooldown(cooldown));
      }
      const usage = usageOf(end);
      const { target } = candidate;
      const reported = runtime.findProvider(target.provider)?.reportsUsd === true ? usage?.reportedCost : undefined;
      const cost = costOf(usage, runtime.priceOf?.(target) ?? null, reported);
      const record = log.end(outcome, { usage, cost, cut, cooldown });
      if (outcome === "answered") await written(clearAfterSuccess(store, candidate, startedAt));
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

  async function fail(failure: Failure | null, outcome: "failed" | "cancelled" = "failed"): Promise<TurnResult> {
    const { blocked }: Candidates = candidates;
    await written(store.appendTurn(log.end(outcome, { usage: null, cost: null })));
    return { ok: false, turnId: log.turnId, outcome, failure, attempts: log.attempts, blocked, nearestRecovery };
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
