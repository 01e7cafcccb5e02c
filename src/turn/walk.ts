import { type Cooldown, healsByItself } from "../core/cooldown.ts";
import { decide, type Decision } from "../core/decide.ts";
import type { Candidate } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { Soon } from "../core/soon.ts";
import type { Target } from "../core/target.ts";
import { type Credential, needsRelogin } from "../credentials/credential.ts";
import { reloginFailure } from "../credentials/keeper-failures.ts";
import { repairCommand } from "./advice.ts";
import { isBenching, outlastsTurn, planCooldown, withoutBenched } from "./bench.ts";
import { type Candidates, coolingLogins, listCandidates } from "./candidates.ts";
import type { FindSuccessor } from "./continuation.ts";
import type { ForgivingStore } from "./forgiving-store.ts";
import { createHabitLedger } from "./habits.ts";
import type { LineCandidate } from "./line.ts";
import { type Repaired, Repairs } from "./repairs.ts";
import type { TurnRequest } from "./request.ts";
import type { TurnRuntime } from "./runtime.ts";
import { type GoOn, type TryResult, tryCandidate } from "./try-candidate.ts";
import { restsUntil, toCandidate, type TurnLog } from "./turn-log.ts";
import type { TurnOptions } from "./turn-options.ts";

export interface WalkInput {
  readonly runtime: TurnRuntime;
  readonly request: TurnRequest;
  readonly options: TurnOptions;
  readonly log: TurnLog;
  readonly store: ForgivingStore;
  /** Who is looked for when the answer breaks off; null where the route does not want that. */
  readonly findSuccessor: FindSuccessor | null;
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
  /** The same, as it may be shown. */
  readonly shown: Candidate;
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

const nothing = (): void => {};

/** The first wait of a turn takes at least this long, each further one twice as long, in ms. */
const shortestWaitMs = 1_000;

/** Lists the candidates and stands before the first of them. Rejects, or throws, for a store that can't be read. */
export function beginWalk(input: WalkInput): Soon<Walk> {
  const { runtime, options } = input;
  const listed = listCandidates(runtime, options.route, options.preferredCredentialId);
  if (listed instanceof Promise) return listed.then((candidates) => new Walk(input, candidates));
  return new Walk(input, listed);
}

/** The way of one turn along its candidates. A class, since a turn makes one each time: methods are not made anew. */
export class Walk {
  readonly #input: WalkInput;
  readonly #runtime: TurnRuntime;
  readonly #options: TurnOptions;
  readonly #log: TurnLog;
  #candidates: Candidates;
  #line: Candidates["line"];
  #nearestRecovery: number | null;
  #elsewhereMs = 0;
  #waitLeftMs: number;
  #waits = 0;
  #retries: Map<Target, number> | null = null;
  #refreshed: Set<string> | null = null;
  /** Credentials whose tokens were made good in this turn, as they were last used. */
  #latest: Map<string, Credential> | null = null;
  readonly #repairs: Repairs;
  #rejected = false;
  /** True after the network failed: the connections that are kept open may all have died of the same. */
  #fresh = false;
  #last: { candidate: LineCandidate; failure: Failure } | null = null;
  readonly #store: ForgivingStore;

  constructor(input: WalkInput, candidates: Candidates) {
    const { runtime } = input;
    this.#input = input;
    this.#store = input.store;
    this.#runtime = runtime;
    this.#options = input.options;
    this.#log = input.log;
    this.#candidates = candidates;
    this.#line = candidates.line;
    this.#nearestRecovery = candidates.nearestRecovery;
    this.#waitLeftMs = runtime.limits.maxWaitMs;
    this.#repairs = new Repairs(runtime.habits ?? createHabitLedger());
    const cooling = coolingLogins(candidates);
    if (cooling.length > 0) runtime.keeper.tend(cooling);
  }

  /** The candidates as they were listed last. */
  get candidates(): Candidates {
    return this.#candidates;
  }

  /** Unix ms at which somebody recovers; null when nobody will without a person's help. */
  get nearestRecovery(): number | null {
    return this.#nearestRecovery;
  }

  /** Spent by providers, token endpoints and waits so far, in ms. */
  get elsewhereMs(): number {
    return this.#elsewhereMs;
  }

  /** Tries the candidates in line until one answers or nobody is left. `goOn`: it is to go on from what another has said. */
  async find(goOn: GoOn | null): Promise<Found | Lost> {
    const { request, findSuccessor } = this.#input;
    const { signal } = this.#options;
    let mayPrefill = true;
    for (;;) {
      const candidate = this.#line.current;
      if (candidate === null) {
        await this.#store.settled();
        const recovery = this.#waitEnd();
        if (recovery === null || recovery - this.#runtime.clock.now() > this.#waitLeftMs)
          return lost(this.#last?.failure ?? null);
        if (!(await this.#waitUntil(recovery))) return lost(null, "cancelled");
        continue;
      }
      const startedAt = this.#runtime.clock.now();
      const shown = this.#announce(candidate);
      const repaired = this.#repairs.for(candidate.target);
      const leave = this.#runtime.load?.enter(candidate.credential.id) ?? nothing;
      let tried: TryResult;
      try {
        tried = await tryCandidate({
          runtime: this.#runtime,
          request,
          turnId: this.#log.turnId,
          target: candidate.target,
          credential: this.#asUsed(candidate),
          rejected: this.#rejected,
          fresh: this.#fresh,
          repaired,
          goOn: goOn === null ? null : { ...goOn, mayPrefill },
          findSuccessor: goOn === null ? findSuccessor : null,
          signal,
          onSent: this.#store.hasRests ? () => void this.#store.settled() : null,
        });
      } catch (error) {
        leave();
        void this.#store.settled();
        throw error;
      }
      this.#rejected = false;
      this.#elsewhereMs += tried.elsewhereMs;
      if (tried.credential !== candidate.credential)
        (this.#latest ??= new Map()).set(tried.credential.id, tried.credential);
      if (tried.refresh !== null) {
        this.#log.tell({ type: "token-refresh", candidate: toCandidate(candidate), outcome: tried.refresh });
      }
      if (tried.ok) {
        this.#repairs.proven(candidate.target);
        // Its token lives for now, but this turn has learnt that it can't be renewed: said once, when it is learnt.
        const { credential } = tried;
        if (credential.kind === "oauth" && needsRelogin(credential) && !needsRelogin(candidate.credential)) {
          this.tellRelogin(candidate, reloginFailure(credential));
        }
        return { ok: true, candidate, shown, startedAt, tried, leave };
      }
      leave();

      await this.#store.settled();
      const { failure, called } = tried;
      this.#fresh = failure.reason === "network";
      const cancelled = failure.reason === "cancelled" && this.isGivenUp();
      const refusesPrefill = tried.prefilled === true && failure.reason === "invalid_request";
      if (refusesPrefill) mayPrefill = false;
      const weighed = goOn === null ? failure : asSuccessorsOwn(failure);
      const { decision, cooldown }: Next = cancelled
        ? { decision: { action: "stop" }, cooldown: null }
        : refusesPrefill
          ? { decision: { action: "repair" }, cooldown: null }
          : await this.#decideNext(candidate, weighed, startedAt, repaired);
      this.#log.add({
        candidate: toCandidate(candidate),
        startedAt,
        called,
        failure,
        decision,
        ...restsUntil(cooldown),
      });
      this.#tellFailed(candidate, failure, decision, cooldown);
      if (cancelled) return lost(failure, "cancelled");
      if (decision.action === "repair" && !refusesPrefill) this.#repairs.add(candidate.target, failure);
      const stopped = await this.#follow(decision, candidate, failure);
      if (stopped !== null) return stopped;
    }
  }

  /** Who broke off is not asked again while there is anybody else: another login of the same provider first (rule R11). */
  async findAfter({ candidate, startedAt }: Found, cut: Failure, said: string): Promise<Found | Lost> {
    await this.#store.settled();
    const staysHere = cut.next === "retry" || cut.next === "repair";
    const away = this.#line.credentialsLeft > 0 ? "next_credential" : "next_target";
    const elsewhere: Failure = staysHere ? { ...cut, next: away } : cut;
    const sent = this.#repairs.for(candidate.target);
    const { decision, cooldown } = await this.#decideNext(candidate, elsewhere, startedAt, sent, true);
    this.#log.cutLast(cut, cooldown, decision);
    this.#tellFailed(candidate, cut, decision, cooldown);
    return (await this.#follow(decision, candidate, cut)) ?? this.find({ said });
  }

  /** One broken stream says nothing of the next; an empty allowance does. */
  async benchFor({ candidate, startedAt }: Found, cut: Failure): Promise<Cooldown | null> {
    if (!outlastsTurn(cut)) return null;
    const began = this.#triedAt(candidate, startedAt);
    const cooldown = await this.#store.read(
      (store) => planCooldown(store, candidate, cut, this.#runtime.clock.now(), began),
      null,
    );
    if (cooldown !== null) await this.#store.write((store) => store.putCooldown(cooldown));
    return cooldown;
  }

  /** Does what was decided; what the turn has come to if it ends here. */
  async #follow(decision: Decision, candidate: LineCandidate, failure: Failure): Promise<Lost | null> {
    switch (decision.action) {
      case "stop":
      case "give_up":
        await this.#store.settled();
        return lost(failure);
      case "retry":
        (this.#retries ??= new Map()).set(candidate.target, this.#retriesOn(candidate) + 1);
        await this.#store.settled();
        return (await this.#sleep(decision.delayMs)) ? null : lost(failure, "cancelled");
      case "refresh":
        (this.#refreshed ??= new Set()).add(candidate.credential.id);
        this.#rejected = true;
        return null;
      case "repair":
        return null;
      case "next_credential":
        this.#line = this.#line.nextCredential();
        return null;
      case "next_target":
        this.#line = this.#line.nextTarget();
        return null;
      case "wait":
        await this.#store.settled();
        return (await this.#waitUntil(decision.untilMs)) ? null : lost(failure, "cancelled");
    }
  }

  isGivenUp(): boolean {
    return this.#options.signal?.aborted === true || this.#runtime.closing?.aborted === true;
  }

  #tellFailed(candidate: LineCandidate, failure: Failure, decision: Decision, cooldown: Cooldown | null): void {
    const resting = cooldown === null ? {} : { cooldown };
    const attempt = this.#log.attempts.length;
    this.#log.tell({
      type: "attempt-failed",
      attempt,
      candidate: toCandidate(candidate),
      failure,
      decision,
      ...resting,
    });
    this.tellRelogin(candidate, failure);
    this.#last = { candidate, failure };
  }

  #asUsed({ credential }: LineCandidate): Credential {
    return this.#latest?.get(credential.id) ?? credential;
  }

  #retriesOn({ target }: LineCandidate): number {
    return this.#retries?.get(target) ?? 0;
  }

  /** When the attempt began, or when its token was obtained, if that was later. */
  #triedAt(candidate: LineCandidate, startedAt: number): number {
    const used = this.#asUsed(candidate);
    return used.kind === "oauth" ? Math.max(startedAt, used.grant.obtainedAt) : startedAt;
  }

  /** Weighs the failure against what is left, and benches whom it concerns. */
  async #decideNext(
    candidate: LineCandidate,
    failure: Failure,
    startedAt: number,
    sent: Repaired,
    isCut = false,
  ): Promise<Next> {
    const now = this.#runtime.clock.now();
    const standing = this.#line;
    const rest = await this.#store.read(() => withoutBenched(this.#runtime, standing, now), {
      line: standing,
      recovery: null,
    });
    this.#line = rest.line;
    const cooldown = await this.#store.read(
      (store) => planCooldown(store, candidate, failure, now, this.#triedAt(candidate, startedAt)),
      null,
    );
    // A failure that benches nobody (the token endpoint asks for patience) still says when to come back.
    const own = cooldown === null ? failure.retryAt : healsByItself(cooldown.reason) ? cooldown.until : undefined;
    const recoveries = [this.#nearestRecovery, rest.recovery, own].filter((time) => typeof time === "number");
    this.#nearestRecovery = recoveries.length === 0 ? null : Math.min(...recoveries);
    const used = this.#asUsed(candidate);
    const decision = decide(
      failure,
      {
        now,
        retriesOnTarget: this.#retriesOn(candidate),
        canRefresh: used.kind === "oauth" && this.#refreshed?.has(used.id) !== true,
        repaired: this.#repairs.isDone(candidate.target, failure, sent),
        credentialsLeft: this.#line.credentialsLeft,
        othersLeft: this.#line.othersLeft,
        nearestRecovery: this.#waitEnd(),
        waitLeftMs: this.#waitLeftMs,
      },
      this.#runtime.random,
    );
    const benches = isCut ? outlastsTurn(failure) : isBenching(decision, failure);
    if (cooldown === null || !benches) return { decision, cooldown: null };
    this.#store.rest(cooldown);
    return { decision, cooldown };
  }

  #announce(candidate: LineCandidate): Candidate {
    const to = toCandidate(candidate);
    if (this.#last !== null && !isSame(this.#last.candidate, candidate)) {
      this.#log.tell({ type: "switched", from: toCandidate(this.#last.candidate), to, failure: this.#last.failure });
    }
    this.#log.tell({ type: "attempt-start", attempt: this.#log.attempts.length + 1, candidate: to });
    return to;
  }

  tellRelogin(candidate: LineCandidate, failure: Failure): void {
    if (!failure.reloginRequired) return;
    const command = repairCommand(failure, candidate.target.provider, candidate.credential) ?? "";
    this.#log.tell({ type: "relogin-required", candidate: toCandidate(candidate), failure, command });
  }

  /** False when the caller gave up meanwhile. */
  async #sleep(ms: number): Promise<boolean> {
    const since = this.#runtime.clock.now();
    const exactly = this.#runtime.stopwatch?.() ?? 0;
    try {
      await this.#runtime.clock.sleep(ms, this.#options.signal);
      return true;
    } catch {
      return false;
    } finally {
      this.#log.waited(this.#runtime.clock.now() - since);
      this.#elsewhereMs += (this.#runtime.stopwatch?.() ?? 0) - exactly;
    }
  }

  /** When a wait would end, in Unix ms; null when there is nothing to wait for. Each wait is longer than the one before. */
  #waitEnd(): number | null {
    if (this.#nearestRecovery === null) return null;
    return Math.max(this.#nearestRecovery, this.#runtime.clock.now() + shortestWaitMs * 2 ** this.#waits);
  }

  /** Waits for a recovery and lists the candidates anew. A little jitter keeps many waiters apart. */
  async #waitUntil(untilMs: number): Promise<boolean> {
    const now = this.#runtime.clock.now();
    const ms = Math.max(untilMs - now, 0) + this.#runtime.random() * 250;
    this.#waits += 1;
    this.#waitLeftMs -= ms;
    this.#log.tell({ type: "waiting", untilMs: now + ms });
    if (!(await this.#sleep(ms))) return false;
    this.#candidates = await listCandidates(this.#runtime, this.#options.route, this.#options.preferredCredentialId);
    this.#line = this.#candidates.line;
    this.#nearestRecovery = this.#candidates.nearestRecovery;
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
