import { type Cooldown, healsByItself } from "../core/cooldown.ts";
import { decide, type Decision } from "../core/decide.ts";
import type { Failure } from "../core/failure.ts";
import type { Target } from "../core/target.ts";
import { type Credential, needsRelogin } from "../credentials/credential.ts";
import { reloginFailure } from "../credentials/keeper-failures.ts";
import { repairCommand } from "./advice.ts";
import { isBenching, outlastsTurn, planCooldown, withoutBenched } from "./bench.ts";
import { type Candidates, coolingLogins, listCandidates } from "./candidates.ts";
import type { FindSuccessor } from "./continuation.ts";
import { createHabitLedger } from "./habits.ts";
import type { LineCandidate } from "./line.ts";
import { type Repaired, Repairs } from "./repairs.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { type GoOn, type TryResult, tryCandidate } from "./try-candidate.ts";
import { restsUntil, toCandidate, type TurnLog } from "./turn-log.ts";
import type { TurnOptions } from "./turn-options.ts";

/** The way of one turn along its candidates. */
export interface Walk {
  /** The candidates as they were listed last. */
  readonly candidates: Candidates;
  /** Unix ms at which somebody recovers; null when nobody will without a person's help. */
  readonly nearestRecovery: number | null;
  /** Spent by providers, token endpoints and waits so far, in ms. */
  readonly elsewhereMs: number;
  /** Tries the candidates in line until one answers or nobody is left. `goOn`: it is to go on from what another has said. */
  find(goOn: GoOn | null): Promise<Found | Lost>;
  /** Moves on from an answer that broke off after its caller had seen some of it, and looks for somebody to go on from what was `said`. */
  findAfter(broken: Found, cut: Failure, said: string): Promise<Found | Lost>;
  /** Benches whom this break concerns beyond the turn. */
  benchFor(broken: Found, cut: Failure): Promise<Cooldown | null>;
  tellRelogin(candidate: LineCandidate, failure: Failure): void;
  /** Resolves also when it could not be written: a store in trouble must not end a turn that could be answered. */
  written(writing: Promise<unknown>): Promise<void>;
  /** True when the caller or the process gave up. */
  isGivenUp(): boolean;
}

export interface WalkInput {
  readonly runtime: TurnRuntime;
  readonly request: TurnRequest;
  readonly options: TurnOptions;
  readonly log: TurnLog;
  /** Who is looked for when the answer breaks off, where the route wants that. */
  readonly findSuccessor: FindSuccessor;
}

/** What comes after a failure, and who or what rests because of it. */
interface Next {
  readonly decision: Decision;
  readonly cooldown: Cooldown | null;
}

/** Who answers. */
export interface Found {
  readonly ok: true;
  readonly candidate: LineCandidate;
  /** Unix ms. */
  readonly startedAt: number;
  readonly tried: Extract<TryResult, { ok: true }>;
  /** To be called when its answer has ended. */
  readonly leave: () => void;
}

/** Nobody answers. */
export interface Lost {
  readonly ok: false;
  readonly failure: Failure | null;
  readonly outcome: "failed" | "cancelled";
}

/** The first wait of a turn takes at least this long, each further one twice as long, in ms. */
const shortestWaitMs = 1_000;

/** Lists the candidates and stands before the first of them. Rejects for a store that can't be read. */
export async function beginWalk({ runtime, request, options, log, findSuccessor }: WalkInput): Promise<Walk> {
  const { store, clock, random, limits } = runtime;
  const { route, signal } = options;
  let elsewhereMs = 0;
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
  /** True after the network failed: the connections that are kept open may all have died of the same. */
  let fresh = false;
  let last: { candidate: LineCandidate; failure: Failure } | null = null;

  return {
    get candidates() {
      return candidates;
    },
    get nearestRecovery() {
      return nearestRecovery;
    },
    get elsewhereMs() {
      return elsewhereMs;
    },
    find,
    findAfter,
    benchFor,
    tellRelogin,
    written,
    isGivenUp,
  };

  /** Tries the candidates in line until one answers or nobody is left. `goOn`: it is to go on from what another has said. */
  async function find(goOn: GoOn | null): Promise<Found | Lost> {
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
        fresh,
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
        repairs.proven(candidate.target);
        // Its token lives for now, but this turn has learnt that it can't be renewed: said once, when it is learnt.
        const { credential } = tried;
        if (credential.kind === "oauth" && needsRelogin(credential) && !needsRelogin(candidate.credential)) {
          tellRelogin(candidate, reloginFailure(credential));
        }
        return { ok: true, candidate, startedAt, tried, leave };
      }
      leave();

      const { failure, called } = tried;
      fresh = failure.reason === "network";
      const cancelled = failure.reason === "cancelled" && isGivenUp();
      const refusesPrefill = tried.prefilled === true && failure.reason === "invalid_request";
      if (refusesPrefill) mayPrefill = false;
      const weighed = goOn === null ? failure : asSuccessorsOwn(failure);
      const { decision, cooldown }: Next = cancelled
        ? { decision: { action: "stop" }, cooldown: null }
        : refusesPrefill
          ? { decision: { action: "repair" }, cooldown: null }
          : await decideNext(candidate, weighed, startedAt, repaired);
      log.add({ candidate: toCandidate(candidate), startedAt, called, failure, decision, ...restsUntil(cooldown) });
      tellFailed(candidate, failure, decision, cooldown);
      if (cancelled) return lost(failure, "cancelled");
      if (decision.action === "repair" && !refusesPrefill) repairs.add(candidate.target, failure);
      const stopped = await follow(decision, candidate, failure);
      if (stopped !== null) return stopped;
    }
  }

  /** Who broke off is not asked again while there is anybody else: another login of the same provider first (rule R11). */
  async function findAfter({ candidate, startedAt }: Found, cut: Failure, said: string): Promise<Found | Lost> {
    const staysHere = cut.next === "retry" || cut.next === "repair";
    const away = line.credentialsLeft > 0 ? "next_credential" : "next_target";
    const elsewhere: Failure = staysHere ? { ...cut, next: away } : cut;
    const sent = repairs.for(candidate.target);
    const { decision, cooldown } = await decideNext(candidate, elsewhere, startedAt, sent, true);
    log.cutLast(cut, cooldown, decision);
    tellFailed(candidate, cut, decision, cooldown);
    return (await follow(decision, candidate, cut)) ?? find({ said });
  }

  /** One broken stream says nothing of the next; an empty allowance does. */
  async function benchFor({ candidate, startedAt }: Found, cut: Failure): Promise<Cooldown | null> {
    if (!outlastsTurn(cut)) return null;
    const began = triedAt(candidate, startedAt);
    const cooldown = await known(planCooldown(store, candidate, cut, clock.now(), began), null);
    if (cooldown !== null) await written(store.putCooldown(cooldown));
    return cooldown;
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
}

/** What a successor can't take of a request that another one took says something of this successor, not of the request. */
function asSuccessorsOwn(failure: Failure): Failure {
  const isRequests = failure.next === "stop" && failure.reason !== "content_policy" && failure.reason !== "cancelled";
  return isRequests ? { ...failure, next: "next_target" } : failure;
}

function lost(failure: Failure | null, outcome: "failed" | "cancelled" = "failed"): Lost {
  return { ok: false, failure, outcome };
}

function isSame(a: LineCandidate, b: LineCandidate): boolean {
  return a.target === b.target && a.credential.id === b.credential.id;
}
