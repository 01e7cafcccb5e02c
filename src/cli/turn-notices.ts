import type { Candidate, TurnEvent } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { formatTarget, type Route } from "../core/target.ts";
import type { Provider } from "../providers/provider.ts";
import { describeBlocked, describeCandidate, describeDecision, describeFailure, describeTime } from "../turn/advice.ts";
import type { BlockedCandidate } from "../turn/candidates.ts";

export interface TurnNoticesOptions {
  readonly route: Route;
  /** Who can't be tried at all in this turn, as it stood when it began. */
  readonly blocked: readonly BlockedCandidate[];
  readonly findProvider: (id: string) => Provider | null;
  /** Every attempt, and not only what is switched. */
  readonly verbose: boolean;
  readonly say: (line: string) => void;
}

/**
 * Tells a person what happens during a turn: one quiet line per switch (rule R10), and below it the one command that helps
 * if a person must sign in. A turn without a switch says nothing.
 */
export function createTurnNotices(options: TurnNoticesOptions): (event: TurnEvent) => void {
  const { say, verbose, findProvider } = options;
  let started = false;
  const commands = new Map<string, string>();

  return (event) => {
    switch (event.type) {
      case "turn-start":
        if (verbose) say(`turn ${event.turnId} on route ${event.route}`);
        break;
      case "attempt-start":
        if (!started) tellPassedOver(event.candidate, event.at);
        started = true;
        if (verbose) say(`${event.attempt}. ${nameOf(event.candidate)}`);
        break;
      case "token-refresh":
        if (verbose) say(`   token refresh: ${refreshWords[event.outcome]}`);
        break;
      case "attempt-failed":
        if (verbose) {
          say(`   ${event.failure.reason}: ${describeFailure(event.failure, event.at)} [${event.failure.row}]`);
          say(`   ${describeDecision(event.decision)}`);
        }
        break;
      case "relogin-required":
        commands.set(nameOf(event.candidate), event.command);
        break;
      case "switched":
        say(`${nameOf(event.from)}: ${quietCause(event.failure, event.at)} -> ${nameOf(event.to)}`);
        tellCommand(nameOf(event.from));
        break;
      case "waiting":
        say(`waiting until ${describeTime(event.untilMs, event.at)} for somebody to recover`);
        break;
      case "store-unavailable":
        say(`not written to the store, and the turn goes on: ${event.message}`);
        break;
      case "committed":
        if (verbose) say(`   ${nameOf(event.candidate)} answers`);
        if (commands.has(nameOf(event.candidate))) {
          say(`${nameOf(event.candidate)}: serves as long as its token lives, and must then sign in again`);
          tellCommand(nameOf(event.candidate));
        }
        break;
      case "turn-end":
        if (verbose) say(`turn ${event.turnId}: ${event.outcome}, attempts: ${event.attempts}`);
        break;
    }
  };

  /** The targets before the first one tried, none of whose credentials is usable now: a line each, as for a switch. */
  function tellPassedOver(first: Candidate, now: number): void {
    const { targets } = options.route;
    const tried = targets.findIndex(({ provider, model }) => provider === first.provider && model === first.model);
    for (const target of targets.slice(0, Math.max(tried, 0))) {
      const [one, ...more] = options.blocked.filter((candidate) => candidate.target === target);
      if (one === undefined) continue;
      const { cause, command } = describeBlocked(one, findProvider(target.provider), now);
      const others = more.length === 0 ? "" : ` (and ${more.length} more of its pool)`;
      say(`${describeCandidate(one)}: ${cause}${others} -> ${nameOf(first)}`);
      if (command !== null) say(`  run ${command}`);
    }
  }

  function tellCommand(name: string): void {
    const command = commands.get(name);
    if (command === undefined || command === "") return;
    commands.delete(name);
    say(`  run ${command}`);
  }
}

const refreshWords = { ok: "a new token", kept: "failed, the old token still lives", failed: "no token" } as const;

/** The cause without the provider's own words, which are in `understudy why`. What ended a login is said at once. */
function quietCause(failure: Failure, now: number): string {
  return describeFailure(failure.reloginRequired ? failure : { ...failure, message: "" }, now);
}

function nameOf({ provider, model, credential }: Candidate): string {
  return `${formatTarget({ provider, model })} · ${credential.label}`;
}
