import { createInterface, type Interface } from "node:readline";
import { interruptSignal } from "./interrupt.ts";
import { canAsk } from "./prompt.ts";
import { standardStream } from "./standard-streams.ts";

/** Lines of standard input, one after the other: typed at a prompt, or piped in. */
export interface LineSource {
  /** The next line; null after the last one, and after an interrupt. */
  next(): Promise<string | null>;
  close(): void;
}

export interface LineSourceOptions {
  /** Shown before each line on a terminal. */
  readonly prompt: string;
  /** Ctrl-C. True when something was stopped by it; else the source ends. */
  readonly onInterrupt: () => boolean;
}

/**
 * Reads lines while something else may go on: what is typed ahead is kept. On a terminal the arrow keys bring earlier lines back, and
 * Ctrl-C is a key: it stops what is running, else clears what is typed, else ends the source as an interrupt does.
 */
export function openLineSource({ prompt, onInterrupt }: LineSourceOptions): LineSource {
  const terminal = canAsk();
  const waiting: string[] = [];
  let wake: (() => void) | null = null;
  let ended = false;
  /** The cursor stands behind the prompt. */
  let prompting = false;
  const lines: Interface = createInterface({
    input: process.stdin,
    ...(terminal ? { output: standardStream(2), prompt, terminal } : { terminal: false }),
  });
  const end = (): void => {
    // Whatever is said next, here or by the shell, begins a line of its own.
    if (terminal && prompting && !ended) standardStream(2).write("\n");
    ended = true;
    wake?.();
  };
  lines.on("line", (line) => {
    waiting.push(line);
    wake?.();
  });
  lines.on("close", end);
  lines.on("SIGINT", () => {
    if (onInterrupt()) return;
    if (lines.line !== "") {
      standardStream(2).write("\n");
      // Ctrl-E, Ctrl-U: to the end, and away with all before it.
      lines.write(null, { ctrl: true, name: "e" });
      lines.write(null, { ctrl: true, name: "u" });
      lines.prompt();
      return;
    }
    process.emit("SIGINT");
  });
  interruptSignal.addEventListener("abort", end, { once: true });

  return {
    async next() {
      for (let prompted = false; ; ) {
        if (interruptSignal.aborted) return null;
        const line = waiting.shift();
        if (line !== undefined) return line;
        if (ended) return null;
        if (terminal && !prompted) lines.prompt();
        prompted = true;
        prompting = true;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        prompting = false;
        wake = null;
      }
    },
    close: () => lines.close(),
  };
}
