import { createInterface } from "node:readline";
import { canAsk } from "./prompt.ts";
import { standardStream } from "./standard-streams.ts";

/**
 * Hands over each line of standard input until it is closed, while something else goes on. On a terminal the person can edit the
 * line; Ctrl-C interrupts the program as ever. Without one, what is piped in counts, and its end ends nothing.
 */
export function readLinesMeanwhile(onLine: (line: string) => void, prompt: string): { close(): void } {
  const terminal = canAsk();
  const lines = createInterface({
    input: process.stdin,
    ...(terminal ? { output: standardStream(2), prompt, terminal } : { terminal: false }),
  });
  lines.on("line", (line) => {
    onLine(line);
    if (terminal) lines.prompt();
  });
  // In raw mode the terminal sends no signal: the key does.
  lines.on("SIGINT", () => process.emit("SIGINT"));
  if (terminal) lines.prompt();
  return {
    close() {
      lines.close();
      if (terminal) standardStream(2).write("\n");
    },
  };
}
