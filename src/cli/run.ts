import { interruptExitCode, watchInterrupts } from "./interrupt.ts";
import { reportError } from "./report-error.ts";
import { allWritten } from "./standard-streams.ts";

/** Runs the command line and ends the process with its exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  watchInterrupts();
  // Node would print whatever the error holds.
  process.on("uncaughtException", (error) => process.exit(reportError(error)));
  const { runProgram } = await import("./program.ts");
  const code = await runProgram(argv);
  await allWritten();
  // What Node itself has to say, a warning, it says one round later.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(interruptExitCode() ?? code);
}
