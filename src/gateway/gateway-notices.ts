import type { Candidate, TurnEvent } from "../core/events.ts";
import { formatTarget } from "../core/target.ts";
import { describeFailure } from "../turn/advice.ts";

/**
 * What whoever runs the gateway is told: one line per switch (rule R10), and once per login that a person must renew. All else is
 * in the journal and in the metrics.
 */
export function createGatewayNotices(say: (line: string) => void): (event: TurnEvent) => void {
  const told = new Set<string>();
  return (event) => {
    switch (event.type) {
      case "switched":
        told.delete(event.to.credential.id);
        return say(`${nameOf(event.from)}: ${describeFailure(event.failure, event.at)} -> ${nameOf(event.to)}`);
      case "relogin-required": {
        const { id } = event.candidate.credential;
        if (told.has(id)) return;
        told.add(id);
        return say(`${nameOf(event.candidate)} needs a new sign-in: run ${event.command}`);
      }
      case "store-unavailable":
        return say(`not written to the store, and the turn goes on: ${event.message}`);
      default:
        return;
    }
  };
}

function nameOf(candidate: Candidate): string {
  return `${formatTarget(candidate)} · ${candidate.credential.label}`;
}
