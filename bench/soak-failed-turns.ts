import { setTimeout as sleep } from "node:timers/promises";
import type { AttemptRecord, TurnRecord } from "../src/core/events.ts";
import type { Credential } from "../src/credentials/credential.ts";
import { openWorkspace } from "../src/workspace.ts";
import type { SeenFailure } from "./native.ts";
import type { UnderstudyTarget } from "./targets.ts";

/** A turn that failed for its client, and what the gateway's journal says of it. */
export interface FailedTurn extends SeenFailure {
  /** The verdict: somebody could have answered. What the journal can't tell counts as that, too. */
  readonly hadUsable: boolean;
  /** Why that is the verdict. */
  readonly because: string;
  /** What `understudy why ID` prints. */
  readonly why: string;
}

/** A candidate of a route as the journal names it. */
export interface RouteCandidate {
  readonly provider: string;
  readonly model: string;
  readonly credentialId: string;
}

/** More turns than the journal keeps. */
const wholeJournal = 1_000_000;
/** The journal is written this much later at most. */
const writtenMs = 600;
/** So many turns are looked up: each costs a process, and the journal forgets meanwhile. */
const mostLookedUp = 50;

/** Looks up turns that failed while the gateway goes on: its journal keeps those of the last seconds. */
export class FailedTurns {
  readonly #target: UnderstudyTarget;
  readonly #routes: Readonly<Record<string, readonly string[]>>;
  readonly #found: FailedTurn[] = [];
  #last: Promise<void> = Promise.resolve();
  #seen = 0;

  constructor(target: UnderstudyTarget, routes: Readonly<Record<string, readonly string[]>>) {
    this.#target = target;
    this.#routes = routes;
  }

  add(seen: SeenFailure): void {
    this.#seen += 1;
    if (this.#seen > mostLookedUp) {
      const because = `only the first ${mostLookedUp} are looked up`;
      this.#found.push({ ...seen, hadUsable: true, because, why: "" });
      return;
    }
    this.#last = this.#last.then(() => this.#lookUp(seen));
  }

  /** All of them, once the last is looked up. */
  async all(): Promise<readonly FailedTurn[]> {
    await this.#last;
    return this.#found;
  }

  async #lookUp(seen: SeenFailure): Promise<void> {
    if (seen.turn === "") {
      this.#found.push({ ...seen, hadUsable: true, because: "no answer began, so it has no id", why: "" });
      return;
    }
    await sleep(writtenMs);
    const workspace = await openWorkspace({ env: this.#target.env });
    try {
      const journal = await workspace.store.listTurns(wholeJournal);
      const credentials = await workspace.store.listCredentials();
      const verdict = judgeFailedTurn(seen.turn, journal, (route) => candidatesOf(this.#routes[route], credentials));
      const why = await this.#target.command("why", seen.turn).catch((error: unknown) => String(error));
      this.#found.push({ ...seen, ...verdict, why });
    } finally {
      await workspace.close();
    }
  }
}

function candidatesOf(route: readonly string[] = [], credentials: readonly Credential[]): RouteCandidate[] {
  return route.flatMap((target) => {
    const [provider = "", model = ""] = target.split("/");
    const pool = credentials.filter((one) => one.provider === provider);
    return pool.map(({ id }) => ({ provider, model, credentialId: id }));
  });
}

/**
 * Whether this turn left somebody untried who could have answered: a candidate of its route that it did not call, and whom no failure in
 * the journal kept resting when it ended. A turn that the journal does not know, or holds for answered, failed without any such reason.
 */
export function judgeFailedTurn(
  id: string,
  journal: readonly TurnRecord[],
  candidatesOf: (route: string) => readonly RouteCandidate[],
): Pick<FailedTurn, "hadUsable" | "because"> {
  const turn = journal.find((one) => one.id === id);
  if (turn === undefined) return { hadUsable: true, because: "the journal does not have it" };
  if (turn.outcome !== "failed") return { hadUsable: true, because: `the journal has it as ${turn.outcome}` };
  const isResting = restsAt(turn.endedAt, journal);
  const left = candidatesOf(turn.route).filter(
    (one) => !turn.attempts.some((attempt) => attempt.called && isOf(attempt, one)) && !isResting(one),
  );
  const [first] = left;
  return first === undefined
    ? { hadUsable: false, because: "whoever it did not try rested" }
    : {
        hadUsable: true,
        because: `${left.length} were neither tried nor resting, one at ${first.provider}/${first.model}`,
      };
}

function isOf({ candidate }: AttemptRecord, { provider, model, credentialId }: RouteCandidate): boolean {
  return candidate.provider === provider && candidate.model === model && candidate.credential.id === credentialId;
}

/** Tells who rests at `at` by what the journal says of failures before. */
function restsAt(at: number, journal: readonly TurnRecord[]): (one: RouteCandidate) => boolean {
  const keys = new Set<string>();
  for (const { attempts } of journal) {
    for (const { candidate, endedAt, restsUntil, failure } of attempts) {
      if (failure === null || restsUntil === undefined || restsUntil <= at || endedAt > at) continue;
      const { provider, model, credential } = candidate;
      const ofOne = failure.scope === "credential" || failure.scope === "credential_model";
      const ofModel = failure.scope === "credential_model" || failure.scope === "model";
      keys.add([provider, ofModel ? model : "", ofOne ? credential.id : ""].join("\n"));
    }
  }
  return ({ provider, model, credentialId }) =>
    ["", model].some((m) => ["", credentialId].some((c) => keys.has([provider, m, c].join("\n"))));
}
