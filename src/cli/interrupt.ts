import { UnderstudyError } from "../core/error.ts";
import { exitCodes } from "./exit-codes.ts";
import { ownStandardStreams } from "./standard-streams.ts";

const controller = new AbortController();
let exitCode: number | null = null;

/** Aborts at the first Ctrl-C or SIGTERM. Its reason is an `UnderstudyError` `cancelled`. */
export const interruptSignal: AbortSignal = controller.signal;

/**
 * The first Ctrl-C (or SIGTERM) asks every command to come to an end by itself, so that nothing is left half-written; the
 * second ends the program where it stands. Whoever closes our output (`understudy ask … | head`) has seen enough: that is
 * an interrupt, too, and no failure.
 */
export function watchInterrupts(): void {
  process.on("SIGINT", () => bySignal(exitCodes.interrupted));
  process.on("SIGTERM", () => bySignal(exitCodes.terminated));
  ownStandardStreams(() => {
    if (exitCode === null) interrupt(exitCodes.done);
  });
}

/** The exit code after an interrupt; null when there was none. */
export function interruptExitCode(): number | null {
  return exitCode;
}

function bySignal(code: number): void {
  if (exitCode !== null) process.exit(code);
  interrupt(code);
}

function interrupt(code: number): void {
  exitCode = code;
  controller.abort(new UnderstudyError("cancelled", "cancelled"));
}
