import { createInterface } from "node:readline";
import { canAsk } from "./prompt.ts";
import { standardStream } from "./standard-streams.ts";

/**
 * Hands over each line of standard input until it is closed, while something else goes on. On a terminal the person can edit the
 * line, and the prompt comes back when all has been said of the last one; Ctrl-C interrupts the program as ever. Without one, what is
 * piped in counts, and its end ends nothing.
 */
export function readLinesMeanwhile(onLine: (line: string) => Promise<void>, prompt: string): { close(): void } {
  const terminal = canAsk();
  const lines = createInterface({
    input: process.stdin,
    ...(terminal ? { output: standardStream(2), prompt, terminal } : { terminal: false }),
  });
  let isShown = false;
  let isClosed = false;
  const show = (): void => {
    if (!terminal || isClosed) return;
    isShown = true;
    lines.prompt();
  };
  lines.on("line", (line) => {
    isShown = false;
    void onLine(line).finally(show);
  });
  // In raw mode the terminal sends no signal: the key does.
  lines.on("SIGINT", () => process.emit("SIGINT"));
  show();
  return {
    close() {
      isClosed = true;
      lines.close();
      if (isShown) standardStream(2).write("\n");
    },
  };
}
