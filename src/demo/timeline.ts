import type { Candidate, TurnEvent } from "../core/events.ts";
import { formatTarget } from "../core/target.ts";
import { describeDecision, describeFailure } from "../turn/advice.ts";

/** How the parts of a line are coloured; the identity when colours are off. */
export interface Palette {
  readonly dim: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly strong: (text: string) => string;
}

/** Turns a turn's events into lines that a person can follow while they happen. */
export function createTimeline(print: (line: string) => void, palette: Palette): (event: TurnEvent) => void {
  let startedAt = 0;
  const line = (at: number, text: string): void => {
    const seconds = ((at - startedAt) / 1_000).toFixed(2).padStart(6);
    print(`  ${palette.dim(`${seconds} s`)}  ${text}`);
  };
  return (event) => {
    switch (event.type) {
      case "turn-start":
        startedAt = event.at;
        break;
      case "attempt-start":
        line(event.at, `${name(event.candidate)} is asked`);
        break;
      case "token-refresh":
        if (event.outcome === "ok") line(event.at, `${name(event.candidate)} has a new token`);
        break;
      case "attempt-failed":
        line(event.at, `${palette.bad("✗")} ${describeFailure(event.failure, event.at)}`);
        line(event.at, palette.dim(`  → ${describeDecision(event.decision)}`));
        break;
      case "relogin-required":
        line(
          event.at,
          `${palette.strong("!")} ${event.candidate.credential.label} needs a person: ${palette.strong(event.command)}`,
        );
        break;
      case "waiting":
        line(event.at, `waits until ${new Date(event.untilMs).toTimeString().slice(0, 8)}`);
        break;
      case "store-unavailable":
        line(event.at, `${palette.bad("!")} ${event.message}`);
        break;
      case "committed":
        line(event.at, `${palette.good("✓")} ${name(event.candidate)} answers`);
        break;
      case "switched":
      case "turn-end":
        break;
    }
  };
}

function name(candidate: Candidate): string {
  return `${formatTarget(candidate)} · ${candidate.credential.label}`;
}
