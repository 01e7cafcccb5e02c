import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A finished child process of a test. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts one of the programs in `programs/` as a process of its own. */
export function startProgram(name: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const program = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  return spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"], ...options });
}

/** Resolves when the child has ended and its output is read. */
export function finish(child: ChildProcess): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The lines that a program must have printed; throws with its errors when it failed. */
export function linesOf({ code, stdout, stderr }: ChildResult): string[] {
  if (code !== 0) throw new Error(`the program ended with ${code}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
