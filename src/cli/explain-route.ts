import type { Candidate, TurnRecord } from "../core/events.ts";
import type { Route } from "../core/target.ts";
import { formatTarget } from "../core/target.ts";
import { recoversAt } from "../credentials/pool.ts";
import { describeBlocked } from "../turn/advice.ts";
import { type BlockedCandidate, listCandidates } from "../turn/candidates.ts";
import {
  describePrices,
  expectSwitchCost,
  isSame,
  lastAnswered,
  nameOf,
  servedBy,
  type SwitchCost,
} from "../turn/switch-cost.ts";
import { toCandidate } from "../turn/turn-log.ts";
import type { Workspace } from "../workspace.ts";
import { dataColors, isoTime, printLines } from "./output.ts";

/** A route as its next turn would go. */
export interface RouteExplanation {
  readonly name: string;
  readonly strict: boolean;
  /** In the order in which they are tried. */
  readonly candidates: readonly CandidateView[];
  readonly out: readonly OutView[];
  /** The last turn of this route that was answered: what a switch costs is reckoned by it. */
  readonly lastTurn: { readonly id: string; readonly servedBy: Candidate; readonly usage: TurnRecord["usage"] } | null;
}

interface CandidateView extends Candidate {
  readonly paid: boolean;
  /** What it costs to go there from who served last; null for that one itself, and when nobody has served yet. */
  readonly switchCost: SwitchCost | null;
}

interface OutView {
  readonly target: string;
  readonly credential: string | null;
  readonly cause: string;
  readonly until: string | null;
  readonly command: string | null;
}

/** Turns of the journal that are looked through for the last one of a route. */
const lookedAt = 1_000;

/** Who would serve the next turn of each route, in order, who is out and why, and what a switch would cost. Spends nothing. */
export async function explainRoutes(workspace: Workspace, routes: readonly Route[]): Promise<RouteExplanation[]> {
  const turns = await workspace.store.listTurns(lookedAt);
  return Promise.all(routes.map((route) => explainRoute(workspace, route, lastAnswered(turns, route.name))));
}

async function explainRoute(workspace: Workspace, route: Route, last: TurnRecord | null): Promise<RouteExplanation> {
  const { runtime, clock } = workspace;
  const served = last === null ? null : servedBy(last);
  const { line, blocked } = await listCandidates(runtime, route, served?.credential.id);
  const priceOf = runtime.priceOf ?? (() => null);
  return {
    name: route.name,
    strict: route.strict,
    candidates: line.all.map((one) => {
      const candidate = toCandidate(one);
      const stays = served === null || isSame(served, candidate);
      return {
        ...candidate,
        paid: one.target.paid === true,
        switchCost: stays || last?.usage == null ? null : expectSwitchCost(last.usage, served, candidate, priceOf),
      };
    }),
    out: blocked.map((one) => viewOut(one, workspace, clock.now())),
    lastTurn: last === null || served === null ? null : { id: last.id, servedBy: served, usage: last.usage },
  };
}

function viewOut(one: BlockedCandidate, { runtime }: Workspace, now: number): OutView {
  const { cause, command } = describeBlocked(one, runtime.findProvider(one.target.provider), now);
  return {
    target: formatTarget(one.target),
    credential: one.why === "blocked" ? one.blocked.credential.label : null,
    cause,
    until: one.why === "blocked" ? isoTime(recoversAt(one.blocked)) : null,
    command,
  };
}

/** Prints it for a person. */
export function printExplanation({ name, strict, candidates, out, lastTurn }: RouteExplanation): void {
  printLines(`${dataColors.bold(name)}${strict ? " (strict: only the first target)" : ""}`);
  if (candidates.length === 0) printLines(dataColors.yellow("  nobody can serve now"));
  for (const [i, candidate] of candidates.entries()) {
    const state = i === 0 ? dataColors.green("serves the next turn") : "ready";
    printLines(`  ${i + 1}. ${nameOf(candidate)}: ${state}${candidate.paid ? " (paid)" : ""}`);
    const cost = candidate.switchCost === null ? null : describeSwitch(candidate.switchCost);
    if (cost !== null) printLines(dataColors.dim(`     ${cost}`));
  }
  for (const { target, credential, cause, command } of out) {
    const who = credential === null ? target : `${target} · ${credential}`;
    printLines(`  –  ${who}: ${dataColors.yellow(cause)}`, ...(command === null ? [] : [`     run ${command}`]));
  }
  if (lastTurn === null) printLines(dataColors.dim("  no turn was answered yet, so nobody knows what a switch costs"));
  else printLines(dataColors.dim(`  reckoned by ${lastTurn.id}, which ${nameOf(lastTurn.servedBy)} answered`));
}

function describeSwitch(cost: SwitchCost): string {
  const prices = describePrices(cost);
  const parts = [
    cost.lostCachedTokens > 0
      ? `its prompt cache is cold: ${cost.lostCachedTokens} input tokens would be read anew`
      : "no prompt cache is lost",
    ...(prices === null ? [] : [`a turn like the last ${prices}`]),
  ];
  return `a switch: ${parts.join("; ")}`;
}
