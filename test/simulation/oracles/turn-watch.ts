import type { Cooldown } from "../../../src/core/cooldown.ts";
import type { TurnEvent, TurnRecord } from "../../../src/core/events.ts";
import type { TurnResult } from "../../../src/turn/run-turn.ts";
import type { Ask } from "../ask.ts";
import { increase, type Invariant } from "../figures.ts";
import type { Lane } from "../lane.ts";
import type { Covered } from "../weather.ts";
import { findRow } from "../store-model/disk.ts";
import { readAsCaller } from "../wire/answers.ts";
import type { ModelReply, Truth } from "../wire/model-faults.ts";
import type { Failure } from "../../../src/core/failure.ts";
import { blameObjection, judgeFailure, judgeUncounted } from "./blame.ts";
import { isOutlived, usableCandidates } from "./usable.ts";

/** More attempts than any pool and chain of these worlds has candidates, with all their retries and waits. */
const mostAttempts = 200;

/** One model call of a turn, as the provider saw it. */
export interface Call {
  readonly attempt: number;
  readonly provider: string;
  readonly credentialId: string;
  readonly model: string;
  /** Unix ms, the true time. */
  readonly at: number;
  /** Whose fault it was; null when the reply was good. */
  readonly truth: Truth | null;
  readonly reply: ModelReply;
  /** Words in the reply, however much of it comes through. */
  readonly words: number;
}

/** One attempt of a turn. */
export interface Attempt {
  /** Null before it has arrived. */
  readonly call: Call | null;
  readonly candidate: { readonly provider: string; readonly model: string; readonly credentialId: string } | null;
}

/** Watches one turn from its first step to its last: R2, R3 and R4. */
export class TurnWatch {
  readonly lane: Lane;
  readonly ask: Ask;
  readonly id: string;
  readonly startedAt: number;
  readonly startStep: number;
  /** Whom the truth of the world calls usable at its start. */
  readonly usable: readonly Covered[];
  outcome: TurnRecord["outcome"] | "threw" | null = null;
  gaveUp = false;
  /** The call of the attempt under way; null before it has arrived. */
  call: Call | null = null;
  /** The call whose answer was committed. */
  served: Call | null = null;
  /** The candidate of the attempt under way. */
  candidate: Attempt["candidate"] = null;
  /** The attempt that failed last, until something is counted against somebody for it. `mustCount`: that has to come. */
  #left: (Attempt & { readonly failure: Failure; readonly mustCount: boolean }) | null = null;
  #attempts = 0;
  #hasWaited = false;
  /** What stood in the store when the turn began. */
  readonly #cooldowns: readonly Cooldown[];

  constructor(lane: Lane, ask: Ask) {
    const { world } = lane.process;
    this.lane = lane;
    this.ask = ask;
    this.id = world.nextTurnName();
    this.startedAt = world.scheduler.now;
    this.startStep = world.scheduler.steps;
    this.#cooldowns = world.disk.content.cooldowns;
    this.usable = ask.mistake === null ? usableCandidates(lane.process, ask.route) : [];
  }

  /** The core tells what it does. */
  saw(event: TurnEvent): void {
    const { process } = this.lane;
    process.world.trace?.turnEvent(process, this.id, event);
    switch (event.type) {
      case "attempt-start": {
        const { provider, model, credential } = event.candidate;
        this.candidate = { provider, model, credentialId: credential.id };
        this.call = null;
        this.#attempts += 1;
        if (this.#attempts === mostAttempts) this.#violate("liveness", `it tries for the ${mostAttempts}th time`);
        if (!this.#hasWaited) this.#checkNobodyIsCooling();
        break;
      }
      case "waiting":
        this.#mustHaveCounted();
        this.#hasWaited = true;
        break;
      case "attempt-failed": {
        this.#mustHaveCounted();
        const { failure, decision } = event;
        const mustCount = judgeFailure(this, failure, decision);
        this.#left = { call: this.call, candidate: this.candidate, failure, mustCount };
        break;
      }
      case "committed":
        this.served = this.call;
        this.#checkNothingIsHeldAgainstTheServer();
        break;
      default:
        break;
    }
  }

  /** The core writes a cooldown (R4). */
  blames(cooldown: Cooldown): void {
    const { world } = this.lane.process;
    world.figures.check("R4");
    if (this.#left !== null && blameObjection(this, this.#left, cooldown) === null) {
      this.#left = null;
      return;
    }
    const objection = blameObjection(this, this, cooldown);
    if (objection !== null) this.#violate("R4", objection);
  }

  #mustHaveCounted(): void {
    if (this.#left?.mustCount === true) judgeUncounted(this, this.#left, this.#left.failure);
    this.#left = null;
  }

  /** The turn ended without an answer (R2). */
  failed(result: Extract<TurnResult, { ok: false }>): void {
    this.outcome = result.outcome;
    this.#mustHaveCounted();
    this.#checkNobodyWasUsable(result.failure?.message ?? "nobody to try");
  }

  threw(error: unknown): void {
    this.outcome = "threw";
    this.#checkNobodyWasUsable(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const { world } = this.lane.process;
    // Only a store that can't be read may end a turn so, and only when there is nobody yet to try.
    const isAtListing = this.candidate === null || this.#hasWaited;
    if (!isAtListing || this.lane.process.refusedAt < this.startedAt) this.#violate("R2", `it threw: ${String(error)}`);
    else increase(world.figures.counts, "turns ended by an unreadable store");
  }

  /** The caller has taken in an answer (R3). */
  took(text: string, finished: boolean, record: TurnRecord): void {
    this.outcome = record.outcome;
    this.#mustHaveCounted();
    const { process } = this.lane;
    const { world } = process;
    const { dialect, streams, leavesEarly } = this.ask;
    world.figures.check("R3");
    const { served } = this;
    if (served === null) return this.#violate("R3", "an answer came and nobody was called");
    const isWhole = !leavesEarly && !this.gaveUp;
    const view =
      dialect === "canonical"
        ? { ...readAsCaller("responses", true, text), looksComplete: finished, tellsError: true }
        : isWhole || streams
          ? readAsCaller(dialect, streams, text)
          : { words: [], looksComplete: false, tellsError: true };
    let next = 0;
    for (const { attempt, index } of view.words) {
      if (attempt !== served.attempt)
        return this.#violate("R3", `words of attempt ${attempt} in the answer of ${served.attempt}`);
      if (index > next) return this.#violate("R3", `word ${index} came before word ${next}`);
      if (index === next) next += 1;
    }
    // Who leaves early has not heard all of it, though all of it was there.
    const isComplete = served.reply.isComplete && (next === served.words || !isWhole);
    if (view.looksComplete && !isComplete) this.#violate("R3", `a cut answer looks complete: ${text.slice(-300)}`);
    if (record.outcome === "answered" && !isComplete) this.#violate("R3", "a cut answer is recorded as answered");
    if (!isWhole) return;
    if (record.outcome === "answered" && !view.looksComplete) this.#violate("R3", "an answer lost its end on the way");
    if (record.outcome !== "cut") return;
    if (!view.tellsError) this.#violate("R3", "a cut answer does not tell that it is cut");
    world.figures.check("R2");
    if (served.truth !== null || this.ask.readsSlowlyMs > 0) return;
    if (process.wasHeldUpSince(served.at)) increase(world.figures.excused, "R2: cut while the process was frozen");
    else if (process.machine.jumpedAt >= served.at) increase(world.figures.excused, "R2: cut by a jump of the clock");
    else this.#violate("R2", `a good answer was cut: ${record.attempts.at(-1)?.failure?.message}`);
  }

  #checkNobodyWasUsable(why: string): void {
    const { process } = this.lane;
    const { world } = process;
    world.figures.check("R2");
    if (this.gaveUp || this.usable.length === 0 || process.wasHeldUpSince(this.startedAt)) return;
    const still = usableCandidates(process, this.ask.route);
    for (const one of this.usable) {
      const isStill = still.some((other) => other.credentialId === one.credentialId && other.model === one.model);
      if (!isStill || world.wasDisturbed(one, this.startStep)) continue;
      this.#violate("R2", `${one.credentialId} on ${one.provider}/${one.model} could have answered: ${why}`);
      return;
    }
  }

  /** Whoever was cooling when the turn began, and still is, is not tried (R5). */
  #checkNobodyIsCooling(): void {
    const { process } = this.lane;
    const { world } = process;
    if (this.candidate === null || this.#cooldowns.length === 0 || process.machine.jumpedAt >= this.startedAt) return;
    world.figures.check("R5");
    const { provider, credentialId, model } = this.candidate;
    const now = process.machine.now();
    const standing = this.#cooldowns.find(
      (one) =>
        one.provider === provider &&
        one.until > now &&
        (one.credentialId === "" || one.credentialId === credentialId) &&
        (one.model === "" || one.model === model),
    );
    if (standing === undefined || !world.disk.content.cooldowns.includes(standing)) return;
    const credential = findRow(world.disk.content, credentialId)?.credential;
    if (credential !== undefined && isOutlived(standing, credential)) return;
    if (world.hasOddClocks) return increase(world.figures.excused, "R5: clocks that disagree");
    this.#violate("R5", `${credentialId} on ${provider}/${model} is tried while it is cooling (${standing.reason})`);
  }

  /** A call that is answered was a call to somebody who was free to be called. */
  #checkNothingIsHeldAgainstTheServer(): void {
    const { served } = this;
    if (served === null) return this.#violate("R3", "it committed and nobody was called");
    if (served.truth !== null && served.reply.pieces.length === 0) this.#violate("R3", "it committed an empty reply");
  }

  #violate(invariant: Invariant, text: string): void {
    this.lane.process.world.violate(invariant, `${this.lane.process.name} ${this.id}: ${text}`);
  }
}
