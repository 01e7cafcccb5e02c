import type { TurnEvent } from "../../src/core/events.ts";
import type { SimProcess } from "./sim-process.ts";
import type { Scheduler } from "./scheduler.ts";
import type { StoreCall } from "./store-port.ts";

/** Tells a run as it goes, one line for each thing that happens. */
export class Trace {
  readonly #print: (line: string) => void;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, print: (line: string) => void) {
    this.#scheduler = scheduler;
    this.#print = print;
  }

  tell(process: SimProcess | null, text: string): void {
    const { now, steps } = this.#scheduler;
    const who = process === null ? "world" : `${process.machine.name}/${process.name}`;
    this.#print(
      `${new Date(now).toISOString().slice(5, 23).replace("T", " ")} ${String(steps).padStart(6)} ${who.padEnd(9)} ${text}`,
    );
  }

  storeCall({ process, method, args }: StoreCall, result: unknown): void {
    switch (method) {
      case "listCredentials":
      case "listCooldowns":
      case "getCredential":
      case "listTurns":
        return;
      default:
        this.tell(process, `store.${method}(${args.map(brief).join(", ")}) → ${brief(result)}`);
    }
  }

  turnEvent(process: SimProcess, turn: string, event: TurnEvent): void {
    const who = "candidate" in event ? ` ${event.candidate.credential.label} ${event.candidate.model}` : "";
    switch (event.type) {
      case "attempt-failed":
        return this.tell(
          process,
          `${turn}${who} failed: ${event.failure.reason} of ${event.failure.scope} [${event.failure.row}] → ${brief(event.decision)}`,
        );
      case "token-refresh":
        return this.tell(process, `${turn}${who} token refreshed: ${event.outcome}`);
      case "store-unavailable":
        return this.tell(process, `${turn} store unavailable: ${event.message}`);
      default:
        return this.tell(process, `${turn}${who} ${event.type}`);
    }
  }
}

const shown = new Set([
  "outcome",
  "generation",
  "until",
  "owner",
  "deadline",
  "replay",
  "reason",
  "code",
  "action",
  "provider",
  "credentialId",
  "model",
  "grant",
  "credential",
  "id",
  "unknownOutcome",
  "relogin",
  "claim",
  "delayMs",
]);

/** The parts of a value that tell the story. */
function brief(value: unknown): string {
  if (value === undefined) return "done";
  return (
    JSON.stringify(value, (key, part: unknown) =>
      key === "" || /^\d+$/.test(key) || shown.has(key) ? part : undefined,
    ) ?? "nothing"
  );
}
