import type { OAuthCredential, ReloginMark } from "../../../src/credentials/credential.ts";
import type { RefreshOutcome } from "../../../src/credentials/refresh-outcome.ts";
import { increase } from "../figures.ts";
import type { SimProcess } from "../sim-process.ts";
import type { World } from "../world.ts";

/** One right to spend a generation's refresh token, and what came of it. */
export interface Spending {
  readonly process: SimProcess;
  readonly generation: number;
  readonly refreshToken: string;
  /** Unix ms, the true time at which the claim was asked for. */
  readonly claimedAt: number;
  /** Unix ms by its process's clock. */
  readonly deadline: number;
  begun: boolean;
  /** The truth of the wire: the issuer rotated the token. */
  rotated: boolean;
  /** Null: nothing yet, or never. */
  end: RefreshOutcome["kind"] | "refused-by-keeper" | null;
}

/**
 * Watches over R1 and over verdicts: each claim allows one post; a second claim of one generation needs a reason that makes it
 * right, and the reasons are counted.
 */
export class SpendingWatch {
  readonly #world: World;
  readonly #spendings = new Map<string, Spending[]>();
  /** Begun, and not on the wire yet. */
  readonly #begun = new Set<Spending>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The store gave a claim that was asked for at `claimedAt`. `credential` is what stood there. */
  claimed(process: SimProcess, credential: OAuthCredential, claimedAt: number, deadline: number): void {
    const world = this.#world;
    world.figures.check("R1");
    world.figures.check("verdict");
    const { generation, refreshToken } = credential.grant;
    const before = this.#of(credential.id, generation);
    const spending: Spending = {
      process,
      generation,
      refreshToken: refreshToken?.reveal() ?? "",
      claimedAt,
      deadline,
      begun: false,
      rotated: false,
      end: null,
    };
    if (credential.relogin?.generation === generation) {
      world.violate(
        "verdict",
        `${process.name} was given a claim on ${credential.id} ${generation}, which was refused`,
      );
    }
    if (before.length > 0) this.#again(before, process, credential);
    before.push(spending);
  }

  /** The keeper is about to post. */
  begins(process: SimProcess, credential: OAuthCredential): Spending {
    const { generation } = credential.grant;
    const spending = this.#of(credential.id, generation).findLast((one) => one.process === process && !one.begun);
    this.#world.figures.check("R1");
    if (spending === undefined) {
      this.#world.violate("R1", `${process.name} spends ${credential.id} ${generation} without a claim of its own`);
      return {
        process,
        generation,
        refreshToken: "",
        claimedAt: 0,
        deadline: 0,
        begun: true,
        rotated: false,
        end: null,
      };
    }
    const isLate = process.machine.now() >= spending.deadline;
    if (isLate && process.machine.jumpedAt < spending.claimedAt) {
      this.#world.violate("R1", `${process.name} spends ${credential.id} ${generation} under a claim that is over`);
    }
    spending.begun = true;
    this.#begun.add(spending);
    return spending;
  }

  /** A post reached the token endpoint. Returns what it was made under; null if under nothing. */
  arrived(process: SimProcess, refreshToken: string): Spending | null {
    this.#world.figures.check("R1");
    for (const one of this.#begun) {
      if (one.process !== process || one.refreshToken !== refreshToken) continue;
      this.#begun.delete(one);
      return one;
    }
    this.#world.violate("R1", `${process.name} posts ${refreshToken}, which it did not claim, or posts it twice`);
    return null;
  }

  ends(spending: Spending, outcome: RefreshOutcome): void {
    const { process } = spending;
    spending.end = outcome.kind;
    increase(this.#world.figures.counts, `refresh: ${outcome.kind}`);
    this.#world.trace?.tell(process, `its refresh of generation ${spending.generation} ended: ${outcome.kind}`);
    if (outcome.kind !== "answered") this.#world.disturbed();
    this.#world.logins.read(outcome);
  }

  /** The keeper wrote a verdict. It may judge an answer itself and refuse it: another account's. */
  judged(process: SimProcess, id: string, { generation }: ReloginMark): void {
    const judged = this.#of(id, generation).findLast((one) => one.process === process && one.end === "answered");
    if (judged !== undefined) judged.end = "refused-by-keeper";
  }

  /** The issuer, or the keeper, has refused this generation for good. */
  wasRefused(id: string, generation: number): boolean {
    return this.#of(id, generation).some((one) => one.end === "refused" || one.end === "refused-by-keeper");
  }

  /** True when no refresh of this generation has gone wrong so far. */
  isClean(id: string, generation: number): boolean {
    return this.#of(id, generation).every(
      (one) => one.end === null && !one.process.dead && one.process.refusedAt === 0,
    );
  }

  #again(before: readonly Spending[], process: SimProcess, credential: OAuthCredential): void {
    const world = this.#world;
    const { id, grant } = credential;
    const what = `${process.name} claims ${id} ${grant.generation} again`;
    const refused = before.find((one) => one.end === "refused" || one.end === "refused-by-keeper");
    if (refused?.process === process) {
      world.violate("verdict", `${what} though it has been told that this token never works again`);
    }
    const wrong = before.find((one) => one.end === "never_sent" && one.rotated);
    if (wrong !== undefined) return world.violate("R1", `${what}: it was called never sent, and had arrived`);
    // Refused for now, or never sent: nothing was spent, as far as anybody can know.
    const last = before.findLast((one) => one.end !== "deferred" && one.end !== "never_sent");
    if (last === undefined) {
      if (before.at(-1)?.rotated === true) increase(world.figures.secondSpends, "an error came in place of the answer");
      return;
    }
    const token = grant.accessToken.reveal();
    const isOver = grant.expiresAt !== null && process.machine.now() >= grant.expiresAt;
    if (!isOver && !process.rejected.has(token)) {
      if (process.machine.jumpedAt >= last.claimedAt) increase(world.figures.excused, "R1: a clock jumped back");
      else world.violate("R1", `${what} while its access token lives`);
      return;
    }
    const reason = this.#reason(last, process);
    if (reason === null) world.violate("R1", `${what} while ${last.process.name} is at work on it`);
    else increase(world.figures.secondSpends, reason);
    world.trace?.tell(process, `may spend generation ${grant.generation} again: ${reason ?? "no reason"}`);
  }

  /** What makes a second spending right; null if nothing does. */
  #reason(last: Spending, process: SimProcess): string | null {
    const since = last.claimedAt;
    if (last.end === "unanswered") return "no answer came";
    if (last.process.dead) return "the owner died";
    if (last.process.wasHeldUpSince(since)) return "the owner was frozen beyond its deadline";
    if (last.process.refusedAt >= since) return "the store refused to take the outcome";
    const machines = [last.process.machine, process.machine];
    if (machines.some((machine) => machine.jumpedAt >= since)) return "a clock jumped beyond the deadline";
    return null;
  }

  #of(id: string, generation: number): Spending[] {
    const key = `${id} ${generation}`;
    let spendings = this.#spendings.get(key);
    if (spendings === undefined) {
      spendings = [];
      this.#spendings.set(key, spendings);
    }
    return spendings;
  }
}
