import type { Line } from "./protocol.ts";

/** Why a process could not end what it had begun. */
export type Mishap = "killed" | "frozen past its claim";

interface Spend {
  /** When its process said that it was about to send, Unix ms. */
  readonly begun: number;
  readonly worker: string;
  readonly replay: boolean;
  outcome?: string;
  /** Its answer was made durable while its claim stood. */
  settled?: boolean;
  /** The time when this was last heard of, Unix ms. */
  at: number;
}

/** Why a login was lost. */
export type Cause =
  | Mishap
  | "cut off from the store after the answer"
  | "left without an answer within its limit"
  | "held up past its claim by a busy machine"
  | "not known";

/** Of a process that may send its old token long after others have gone on. */
const lateCauses: ReadonlySet<Cause> = new Set(["frozen past its claim", "held up past its claim by a busy machine"]);

/** Keeps what the workers tell, and says in the end what became of every refresh token. */
export class Ledger {
  refreshes = 0;
  /** Logins that a person had to renew, by cause. */
  readonly lost = new Map<Cause, number>();
  /** Of these, those whose message names the lost answer and its time. */
  toldRightly = 0;
  /** Losses whose cause is not known, with what was heard of them. */
  readonly riddles: object[] = [];
  /** From the arrival of a refresh at the issuer to its durable write, in ms. */
  readonly windowsMs: number[] = [];
  readonly #claimMs: number;
  readonly #spends = new Map<string, Spend[]>();
  readonly #mishaps = new Map<string, Mishap>();
  /** When the server was away or connections were cut, Unix ms. */
  readonly #cuts: number[] = [];

  constructor(claimMs: number) {
    this.#claimMs = claimMs;
  }

  /** Notes a line of a worker. `arrivedAt`: when the last refresh of this login reached the issuer, Unix ms. */
  note(worker: string, line: Line, arrivedAt: (id: string) => number | undefined): void {
    if (line.type === "spend") {
      const { id, generation, replay } = line;
      this.#of(id, generation).push({ worker, replay, at: line.at, begun: line.at });
    } else if (line.type === "outcome") {
      const spend = this.#of(line.id, line.generation).findLast((one) => one.worker === worker);
      if (spend !== undefined) [spend.outcome, spend.at] = [line.kind, line.at];
    } else if (line.type === "settled") {
      const spend = this.#of(line.id, line.generation).findLast((one) => one.worker === worker);
      // What is written after the claim is over comes too late for whoever went on.
      if (spend !== undefined) spend.settled = line.at - spend.begun < this.#claimMs;
      if (!line.counted) return;
      this.refreshes++;
      const arrived = arrivedAt(line.id);
      if (arrived !== undefined) this.windowsMs.push(Math.max(0, line.at - arrived));
    }
  }

  mishap(worker: string, mishap: Mishap): void {
    if (this.#mishaps.get(worker) !== "killed") this.#mishaps.set(worker, mishap);
  }

  /** Connections to the store are lost now. */
  cut(): void {
    this.#cuts.push(Date.now());
  }

  /** A login was called lost. Gives the cause. */
  loss(id: string, generation: number, message: string): Cause {
    // A login that is ended because an old token was presented is called lost when its next one is refused.
    const spends = [...this.#of(id, generation), ...this.#of(id, generation - 1)];
    const causes = this.#causesOf(spends);
    // There may be several generations in the time for which a process stands still, before it sends its old token.
    const earlier = Array.from({ length: 10 }, (_, back) => this.#of(id, generation - 2 - back)).flat();
    const cause =
      causes.find((one) => one === "killed") ??
      causes.find((one) => one !== undefined) ??
      this.#causesOf(earlier).find((one) => one !== undefined && lateCauses.has(one)) ??
      "not known";
    if (cause === "not known") this.riddles.push({ id, generation, message, spends });
    this.lost.set(cause, (this.lost.get(cause) ?? 0) + 1);
    if (/\(the answer to the refresh of \d\d:\d\d was lost\)/.test(message)) this.toldRightly++;
    return cause;
  }

  #causesOf(spends: readonly Spend[]): (Cause | undefined)[] {
    return spends.filter((spend) => spend.settled !== true).map((spend) => this.#causeOf(spend));
  }

  #causeOf(spend: Spend): Cause | undefined {
    const mishap = this.#mishaps.get(spend.worker);
    if (mishap !== undefined) return mishap;
    // On a busy machine the answer may come too late: the token was rotated, and nobody has the new one.
    if (spend.outcome === "unanswered") return "left without an answer within its limit";
    // It had no time to run: to the others that is the same as a process that stands still.
    if (spend.at - spend.begun > this.#claimMs) return "held up past its claim by a busy machine";
    if (spend.outcome !== "answered") return undefined;
    return this.#cuts.some((at) => Math.abs(at - spend.at) < 5_000)
      ? "cut off from the store after the answer"
      : undefined;
  }

  /** Generations that were spent again though nothing was unknown about the first time: each breaks rule R1. */
  get twiceOnPurpose(): string[] {
    const harmless = new Set(["deferred", "never_sent"]);
    return [...this.#spends].flatMap(([key, spends]) => {
      const meant = spends.filter((spend) => !spend.replay && !harmless.has(spend.outcome ?? ""));
      return meant.length > 1 ? [`${key} by ${meant.map(({ worker }) => worker).join(", ")}`] : [];
    });
  }

  /** Refresh tokens spent once more after an outcome that nobody knew. */
  get replays(): number {
    return [...this.#spends.values()].flat().filter((spend) => spend.replay).length;
  }

  #of(id: string, generation: number): Spend[] {
    const key = `${id} generation ${generation}`;
    const spends = this.#spends.get(key) ?? [];
    this.#spends.set(key, spends);
    return spends;
  }
}
