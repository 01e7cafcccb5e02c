import type { CancelSignal } from "../core/cancel.ts";
import type { Soon } from "../core/soon.ts";
import { backoffDelay, refreshBackoff } from "../core/backoff.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Failure } from "../core/failure.ts";
import {
  type Account,
  needsRelogin,
  type OAuthCredential,
  type ReloginMark,
  type UnknownOutcome,
} from "./credential.ts";
import {
  reloginFailure,
  noRefreshToken,
  goneFailure,
  unwrittenFailure,
  noAccessTokenFailure,
  deferredFailure,
  networkFailure,
  storeFailure,
} from "./keeper-failures.ts";
import type { RefreshOutcome, SpendRefreshToken } from "./refresh-outcome.ts";
import { createRefreshPace, holdsAt, type Pause } from "./refresh-pace.ts";
import type { NewGrant, Store } from "./store.ts";
import { isAlive, mustRefresh, shouldRefresh } from "./token-window.ts";

/**
 * The token keeper: makes an OAuth credential's access token good, and spends each refresh token at most once on purpose
 * over all processes that share the store (rule R1).
 *
 *              claim (durable)          one POST                      settle (durable)
 *   valid ───────────────────▶ claimed ──────────▶ answered ───────────────────────────▶ valid, generation + 1
 *     ▲                           │                refused for good ──▶ relogin required, bound to this generation
 *     │                           │                refused for now ───▶ released, tried again after a back-off
 *     │                           │                never sent ────────▶ released
 *     │                           └─ owner died, or sent and no answer ─▶ unknown
 *     └──── unknown: the access token is used while it lives; only when it is over or rejected, the old refresh token is
 *           spent once more, since nothing is left to lose.
 *
 * - Early window (5 min before the end): refresh in the background; its failure is no failure of the turn.
 * - Mandatory window (30 s before the end) or after a 401: callers wait.
 * - A claim held by somebody else is waited for; its outcome is adopted.
 * - The answer is made durable before anybody uses it (R6). If the store can't take it, it is kept in memory and written
 *   at the next occasion, and until then nobody uses it.
 * - A refreshed token of another account is not adopted.
 * - Logins that share a token endpoint are refreshed at its pace: `refresh-pace.ts`.
 */
export interface TokenKeeper {
  /**
   * The credential with an access token that may be used now; at once when it is good as it is. Spends the refresh token only if the token
   * is near its end.
   * `signal` ends the waiting of this caller, never a refresh that has begun.
   */
  makeGood(credential: OAuthCredential, signal?: CancelSignal): Soon<TokenResult>;
  /** The same after the provider rejected the token of this generation: a newer generation is adopted, else refreshed. */
  replaceRejected(credential: OAuthCredential, signal?: CancelSignal): Promise<TokenResult>;
  /**
   * Refreshes in the background what is near its end or over, though nobody uses it now: a login that cools down is good again the
   * moment its cooldown ends. One at a time; for the others the next call is another occasion. Never throws.
   */
  tend(credentials: readonly OAuthCredential[]): void;
  /** Resolves when no refresh is under way in this process. */
  idle(): Promise<void>;
}

export type TokenResult =
  | { readonly ok: true; readonly credential: OAuthCredential; readonly refreshed: boolean }
  | { readonly ok: false; readonly failure: Failure };

export interface TokenKeeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly spend: SpendRefreshToken;
  /** Names this process for the claims it makes. */
  readonly owner: string;
  /** True when the process that made a claim is certainly dead. */
  readonly isDead: (owner: string) => boolean;
  /** How long a claim stands, in ms. Longer than the HTTP limit of `spend`. Default 30,000. */
  readonly claimMs?: number;
}

/** A refresh under way in this process, or the wait for somebody else's. */
interface Flight extends FlightWork {
  readonly result: Promise<TokenResult>;
}

interface FlightWork {
  readonly key: string;
  /** Callers that wait for it now. */
  waiters: number;
  /** True when all of them have given up, or the process is about to close. */
  isLeft: boolean;
  /** Ends the wait for a claim that somebody else holds; null while it does something else. */
  endPoll: (() => void) | null;
}

/** A claim held by somebody else is looked at again every 20 ms for 2 s, since most are over by then; later every 250 ms. */
const polling = { soonMs: 20, soonLooks: 100, laterMs: 250 };
/**
 * No claim stands longer, in ms: two minutes is the longest HTTP limit that can be configured. One that says so was made by a
 * clock that has been set back since; it is waited for so long and then over, whatever it says.
 */
const longestClaimMs = 150_000;
const settleTries = 5;
/** A process that was suspended for so long after a lost answer does not send its token any more, in ms: 24 h. */
const lostAnswerMattersMs: number = 24 * 60 * 60_000;
/** However long the token endpoint asks for patience, it is asked again after this, in ms. */
const longestPauseMs = 15 * 60_000;

export function createTokenKeeper(options: TokenKeeperOptions): TokenKeeper {
  const { store, clock, random, spend, owner, isDead } = options;
  const claimMs = options.claimMs ?? 30_000;
  /** One refresh per credential in this process; everybody else waits for it. */
  const flights = new Map<string, Flight>();
  const pace = createRefreshPace(random);
  /** Refused for now, so many times in a row: not before this time. */
  const pauses = new Map<string, Pause & { readonly tries: number }>();
  /** Answers that the store could not take yet. */
  const unsettled = new Map<string, { generation: number; grant: NewGrant; account: Account | null }>();
  /** Verdicts that the store could not take yet. */
  const unmarked = new Map<string, ReloginMark>();

  return {
    makeGood(credential, signal) {
      if (unsettled.has(credential.id)) return makeSettledGood(credential, signal);
      return goodNow(credential, signal);
    },
    async replaceRejected(credential, signal) {
      await writeUnsettled(credential.id);
      const current = await newerGeneration(credential);
      if (current === null) return waitFor(fly(credential, true), signal);
      if (mustRefresh(current.grant, clock.now())) return waitFor(fly(current, false), signal);
      return { ok: true, credential: current, refreshed: false };
    },
    tend(credentials) {
      const now = clock.now();
      for (const credential of credentials) {
        if (shouldRefresh(credential.grant, now) && !credential.paused) refreshEarly(credential, now);
      }
    },
    async idle() {
      for (const flight of flights.values()) leaveIfAlone(flight);
      while (flights.size > 0) await Promise.allSettled([...flights.values()].map(({ result }) => result));
    },
  };

  function goodNow(credential: OAuthCredential, signal: CancelSignal | undefined): Soon<TokenResult> {
    const now = clock.now();
    if (mustRefresh(credential.grant, now)) return waitFor(fly(credential, false), signal);
    // A failure leaves the credential as it is: the token still lives.
    if (shouldRefresh(credential.grant, now)) refreshEarly(credential, now);
    return unchanged(credential);
  }

  async function makeSettledGood(credential: OAuthCredential, signal: CancelSignal | undefined): Promise<TokenResult> {
    await writeUnsettled(credential.id);
    return goodNow((await newerGeneration(credential)) ?? credential, signal);
  }

  /** Refreshes in the background, if nothing is against it and it is this login's turn. */
  function refreshEarly(credential: OAuthCredential, now: number): void {
    const isPossible =
      credential.grant.refreshToken !== null &&
      !needsRelogin(credential) &&
      credential.unknownOutcome === null &&
      pauseOf(credential, now) === null;
    if (!isPossible || flights.has(flightOf(credential, false)) || !pace.takeTurn(credential, now)) return;
    void fly(credential, false);
  }

  /** What the store holds, if it is a newer generation; null also when it can't be read. */
  async function newerGeneration({ id, grant }: OAuthCredential): Promise<OAuthCredential | null> {
    const current = await store.getCredential(id).catch(() => null);
    return current?.kind === "oauth" && current.grant.generation > grant.generation ? current : null;
  }

  /** The pause that holds now for this login, by itself or with its siblings. */
  function pauseOf(credential: OAuthCredential, now: number): Pause | null {
    const pause = pauses.get(credential.id);
    return pause !== undefined && holdsAt(pause, now) ? pause : pace.pauseOf(credential, now);
  }

  function fly(credential: OAuthCredential, rejected: boolean): Flight {
    const key = flightOf(credential, rejected);
    const running = flights.get(key);
    if (running !== undefined) return running;
    const work: FlightWork = { key, waiters: 0, isLeft: false, endPoll: null };
    const result = refresh(credential, rejected, work)
      .catch((error: unknown) => failed(storeFailure(error)))
      .finally(() => {
        if (flights.get(key) === flight) flights.delete(key);
      });
    const flight: Flight = Object.assign(work, { result });
    flights.set(key, flight);
    return flight;
  }

  /** Rejects with the signal's reason as soon as it aborts; the flight goes on for the others. */
  async function waitFor(flight: Flight, signal?: CancelSignal): Promise<TokenResult> {
    flight.waiters += 1;
    flight.isLeft = false;
    try {
      return await withSignal(flight.result, signal);
    } finally {
      flight.waiters -= 1;
      leaveIfAlone(flight);
    }
  }

  /** A flight that nobody waits for need not wait for somebody else's claim. One that spends a token comes to its end. */
  function leaveIfAlone(flight: Flight): void {
    if (flight.waiters > 0) return;
    flight.isLeft = true;
    if (flight.endPoll === null) return;
    // Whoever comes now begins anew.
    if (flights.get(flight.key) === flight) flights.delete(flight.key);
    flight.endPoll();
  }

  async function refresh(credential: OAuthCredential, rejected: boolean, work: FlightWork): Promise<TokenResult> {
    const { id } = credential;
    const { generation } = credential.grant;
    let replay = false;
    let heldUntil = 0;
    let waitedMs = 0;
    for (let polls = 0; ; ) {
      // What this process knows and the store doesn't comes first: neither is the token of an answer or a verdict spent again.
      const written = await writeUnsettled(id);
      const mark = await writeMark(id, generation);
      const now = clock.now();
      const early = !rejected && !mustRefresh(credential.grant, now);
      // A token in its last seconds is better than none.
      const alive = !rejected && isAlive(credential.grant, now);
      if (!written) return alive ? unchanged(credential) : failed(unwrittenFailure);
      const verdict = verdictOn(mark === null ? credential : { ...credential, relogin: mark });
      if (verdict !== null) {
        if (alive) return unchanged(credential);
        // The credential may have been read long ago: a person may have signed in anew since.
        const renewed = await newerGeneration(credential);
        return renewed === null ? failed(verdict) : { ok: true, credential: renewed, refreshed: true };
      }
      const pause = pauseOf(credential, now);
      if (pause !== null) return alive ? unchanged(credential) : failed(pause.failure);

      const deadline = now + claimMs;
      const claim = await store.claimRefresh({
        credentialId: id,
        generation,
        owner,
        now: waitedMs < longestClaimMs ? now : Math.max(now, heldUntil),
        deadline,
        isDead,
        replay,
      });
      switch (claim.outcome) {
        case "claimed":
          // The process was suspended meanwhile: somebody else may hold the claim by now, or have renewed the token.
          if (clock.now() >= deadline) continue;
          return settle(claim.credential, await spend(claim.credential), rejected);
        case "held":
          if (early) return unchanged(credential);
          heldUntil = claim.until;
          waitedMs += await poll(work, polls++, claim.until - now);
          if (claim.until - now <= longestClaimMs) waitedMs = 0;
          continue;
        case "unknown":
          waitedMs = 0;
          if (!rejected && isAlive(claim.credential.grant, now)) return unchanged(claim.credential);
          replay = true;
          continue;
        case "superseded":
          if (needsRelogin(claim.credential)) return failed(reloginFailure(claim.credential));
          return { ok: true, credential: claim.credential, refreshed: true };
        case "gone":
          return failed(goneFailure);
      }
    }
  }

  /** Waits a little for a claim that somebody else holds for `leftMs`. Returns for how long, in ms. */
  async function poll(work: FlightWork, polls: number, leftMs: number): Promise<number> {
    const usualMs = polls < polling.soonLooks ? polling.soonMs : polling.laterMs;
    // By chance half as long or half as long again, so that many processes don't look in step.
    const ms = Math.max(1, Math.min(usualMs * (0.5 + random()), leftMs));
    const ending = new AbortController();
    if (work.isLeft) {
      flights.delete(work.key);
      ending.abort(new Error("nobody waits for this login any more"));
    }
    work.endPoll = () => ending.abort(new Error("nobody waits for this login any more"));
    try {
      await clock.sleep(ms, ending.signal);
    } finally {
      work.endPoll = null;
    }
    return ms;
  }

  /** Makes the outcome durable first; everything else comes after. */
  async function settle(credential: OAuthCredential, outcome: RefreshOutcome, rejected: boolean): Promise<TokenResult> {
    const { id } = credential;
    const { generation } = credential.grant;
    const ifAlive = (failure: Failure): TokenResult =>
      !rejected && isAlive(credential.grant, clock.now()) ? unchanged(credential) : failed(failure);
    switch (outcome.kind) {
      case "answered": {
        if (isOtherAccount(credential.account, outcome.account)) {
          return refuse(credential, "account_changed", "the token endpoint answered for another account", rejected);
        }
        unsettled.set(id, { generation, grant: outcome.grant, account: outcome.account });
        for (let tries = 1; !(await writeUnsettled(id)); tries++) {
          if (tries >= settleTries) return ifAlive(unwrittenFailure);
          await clock.sleep(backoffDelay({ baseMs: 200, capMs: 2_000 }, tries, random));
        }
        pauses.delete(id);
        pace.answered(credential);
        const stored = await store.getCredential(id);
        if (stored?.kind !== "oauth") return failed(goneFailure);
        if (stored.grant.accessToken.equals(credential.grant.accessToken)) {
          // A new refresh token came without an access token: it is kept, and spent after a pause.
          const failure = pause(credential, noAccessTokenFailure, undefined);
          return !rejected && isAlive(stored.grant, clock.now()) ? unchanged(stored) : failed(failure);
        }
        return { ok: true, credential: stored, refreshed: true };
      }
      case "refused":
        return refuse(credential, outcome.code, outcome.message, rejected);
      case "deferred": {
        await store.releaseClaim(id, generation, owner);
        return ifAlive(pause(credential, deferredFailure(outcome), outcome.retryAt));
      }
      case "never_sent": {
        await store.releaseClaim(id, generation, owner);
        return ifAlive(pause(credential, networkFailure(outcome.message, "keeper-never-sent"), undefined));
      }
      case "unanswered": {
        await store.settleUnknown(id, generation, owner, clock.now());
        return ifAlive(pause(credential, networkFailure(outcome.message, "keeper-unanswered"), undefined));
      }
    }
  }

  async function refuse(
    credential: OAuthCredential,
    code: string,
    message: string,
    rejected: boolean,
  ): Promise<TokenResult> {
    const lost = lostAnswerOf(credential, clock.now());
    const told =
      lost === null ? message : `${message} (the answer to the refresh of ${timeOfDay(lost.since)} was lost)`;
    const mark: ReloginMark = {
      generation: credential.grant.generation,
      code,
      message: told,
      since: clock.now(),
    };
    unmarked.set(credential.id, mark);
    const isNoted = await store.settleRefused(credential.id, mark).catch(() => null);
    if (isNoted !== null) unmarked.delete(credential.id);
    // Somebody may have settled a newer generation meanwhile: that one counts. A store that takes no writes can often still be read.
    const current = isNoted === false ? await store.getCredential(credential.id) : null;
    const newer = isNoted === null ? await newerGeneration(credential) : current;
    if (newer?.kind === "oauth" && !needsRelogin(newer)) return { ok: true, credential: newer, refreshed: true };
    const marked = { ...credential, relogin: mark };
    return !rejected && isAlive(credential.grant, clock.now()) ? unchanged(marked) : failed(reloginFailure(marked));
  }

  /** Notes that the token endpoint is not to be asked before a while. Gives the failure with that time. */
  function pause(credential: OAuthCredential, failure: Failure, retryAt: number | undefined): Failure {
    const { id } = credential;
    const tries = (pauses.get(id)?.tries ?? 0) + 1;
    const now = clock.now();
    const delay = Math.max(refreshBackoff.baseMs, backoffDelay(refreshBackoff, tries, random));
    const notBefore = Math.min(Math.max(retryAt ?? 0, now + delay), now + longestPauseMs);
    const told = { ...failure, retryAt: notBefore };
    const made = { since: now, notBefore, tries, failure: told };
    pauses.set(id, made);
    if (failure.reason === "rate_limit") pace.holdBack(credential, made);
    return told;
  }

  /** The verdict on `generation` that the store could not take; null if there is none, or it has taken it now. */
  async function writeMark(id: string, generation: number): Promise<ReloginMark | null> {
    const mark = unmarked.get(id);
    if (mark !== undefined && mark.generation < generation) unmarked.delete(id);
    if (mark?.generation !== generation) return null;
    try {
      await store.settleRefused(id, mark);
    } catch {
      return mark;
    }
    unmarked.delete(id);
    return null;
  }

  /** True when nothing is left to write for this credential. */
  async function writeUnsettled(id: string): Promise<boolean> {
    const waiting = unsettled.get(id);
    if (waiting === undefined) return true;
    try {
      // False means that a newer generation is there already: then this answer is dropped.
      await store.settleAnswered(id, waiting.generation, waiting.grant, waiting.account);
    } catch {
      return false;
    }
    if (unsettled.get(id) === waiting) unsettled.delete(id);
    return true;
  }
}

/** Why this generation can't be refreshed by anybody; null when it can. */
function verdictOn(credential: OAuthCredential): Failure | null {
  if (needsRelogin(credential)) return reloginFailure(credential);
  return credential.grant.refreshToken === null ? noRefreshToken : null;
}

/** One flight of these at a time in a process. */
function flightOf({ id, grant }: OAuthCredential, rejected: boolean): string {
  return `${id} ${grant.generation} ${rejected}`;
}

function unchanged(credential: OAuthCredential): TokenResult {
  return { ok: true, credential, refreshed: false };
}

function failed(failure: Failure): TokenResult {
  return { ok: false, failure };
}

/** The lost answer that explains why a refresh token is refused: its own, or one of the same login within a day. */
function lostAnswerOf({ unknownOutcome, unknownBefore }: OAuthCredential, now: number): UnknownOutcome | null {
  const lost = unknownOutcome ?? unknownBefore ?? null;
  return lost !== null && now - lost.since < lostAnswerMattersMs ? lost : null;
}

/** Both known and different. An unknown account proves nothing. */
function isOtherAccount(before: Account, after: Account | null): boolean {
  if (after === null) return false;
  const differs = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;
  return differs(before.id, after.id) || differs(before.userId, after.userId);
}

function timeOfDay(unixMs: number): string {
  return new Date(unixMs).toTimeString().slice(0, 5);
}

/** The same, or the signal's reason as soon as it aborts. */
function withSignal(flight: Promise<TokenResult>, signal?: CancelSignal): Promise<TokenResult> {
  if (signal === undefined) return flight;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void flight.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
