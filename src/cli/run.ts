import { interruptExitCode, watchInterrupts } from "./interrupt.ts";
import { reportError } from "./report-error.ts";

/** Runs the command line and ends the process with its exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  watchInterrupts();
  // Node would print whatever the error holds.
  process.on("uncaughtException", (error) => process.exit(reportError(error)));
  const { runProgram } = await import("./program.ts");
  const code = await runProgram(argv);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(interruptExitCode() ?? code);
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
