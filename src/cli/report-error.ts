import { isUnderstudyError } from "../core/error.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-codes.ts";
import { colors, say, scrubLines } from "./output.ts";

/**
 * Tells a person what went wrong, on standard error, and gives the exit code. Our own errors are sentences, with the
 * one command that helps. Anything else is a bug of ours: one line, and with UNDERSTUDY_DEBUG=1 where it came from.
 */
export function reportError(error: unknown): ExitCode {
  if (isUnderstudyError(error)) {
    const { command } = error.facts;
    say(`${colors.red("understudy:")} ${error.message}`);
    if (command !== undefined && !error.message.includes(command)) say(`Run ${colors.bold(command)}`);
    if (isDebugging() && error.cause !== undefined) say(scrubLines(describe(error.cause)));
    return exitCodeOf(error);
  }
  if (isDebugging()) {
    say(scrubLines(describe(error)));
  } else {
    const message = error instanceof Error ? error.message : String(error);
    say(`${colors.red("understudy:")} an error of its own: ${scrubLines(message.split("\n")[0] ?? "")}`);
    say("UNDERSTUDY_DEBUG=1 shows where it came from.");
  }
  return exitCodes.failed;
}

function isDebugging(): boolean {
  const value = process.env["UNDERSTUDY_DEBUG"] ?? "";
  return value !== "" && value !== "0";
}

/** Stack and causes. Never the properties: they may hold what must not be shown. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${describe(error.cause)}`;
}
