import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** One frame of a stack: what runs, and in which file. */
interface Frame {
  readonly symbol: string;
  readonly file: string;
}

/** Innermost first. */
type Stack = readonly Frame[];

/** What V8 is to be told, so that `perf` knows its code by name. */
export const perfNodeOptions: readonly string[] = ["--perf-basic-prof"];

/**
 * Where a process and its threads are on the processor while `work` goes on, as shares of the samples: Linux's `perf`, by the clock of the processor, so that
 * what waits for the core is not counted, and the system's part is. Rejects where there is no `perf`, or it may not look.
 *
 * A sample belongs to the function of JavaScript that is innermost in its stack, with all that this calls in V8 and in Node; where V8 has made one function a part
 * of another, to the outer one.
 */
export async function sampleByPerf(pid: number, work: () => Promise<void>): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "bench-perf-"));
  const file = join(folder, "perf.data");
  try {
    const args = ["record", "-e", "cpu-clock", "-F", "1999", "-g", "-p", `${pid}`, "-o", file];
    const perf = spawn("perf", args, { stdio: "ignore" });
    const ended = once(perf, "exit");
    await once(perf, "spawn");
    await sleep(500);
    await work();
    perf.kill("SIGINT");
    await ended;
    const script = ["script", "-i", file, "-F", "comm,ip,sym,dso"];
    return sharesOf(
      execFileSync("perf", script, { encoding: "utf8", maxBuffer: 400e6, stdio: ["ignore", "pipe", "ignore"] }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sharesOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  let all = 0;
  for (const sample of text.split("\n\n")) {
    const [thread = "", ...lines] = sample.split("\n").filter((line) => line !== "");
    if (lines.length === 0) continue;
    const group = groupOf(thread.trim(), lines.map(frameIn));
    counts.set(group, (counts.get(group) ?? 0) + 1);
    all += 1;
  }
  if (all === 0) throw new Error("perf saw nothing: may it look? (/proc/sys/kernel/perf_event_paranoid)");
  return new Map([...counts].map(([group, count]) => [group, count / all]));
}

/** `  ADDRESS SYMBOL (FILE)`. */
function frameIn(line: string): Frame {
  const [, symbol = "", file = ""] = /^\s*[0-9a-f]+ (.*) \(([^()]*(?:\([^)]*\))?)\)$/.exec(line) ?? [];
  return { symbol, file };
}

const collecting = /Scaveng|CollectGarbage|MarkCompact|ConcurrentMarking|Sweep/;
/** Functions of Linux that say what it was asked for. */
const system: readonly (readonly [RegExp, string])[] = [
  [/^(?:ksys_write|do_writev)$/, "Linux: writing"],
  [/^ksys_read$/, "Linux: reading"],
  [/epoll/, "Linux: waiting for more"],
  [/^exit_to_user_mode_loop$/, "Linux: others taking turns on the core"],
];

function groupOf(thread: string, stack: Stack): string {
  const calls = (pattern: RegExp): boolean => stack.some(({ symbol }) => pattern.test(symbol));
  if (calls(collecting)) return "V8: collecting";
  if (thread.startsWith("V8Worker")) return "V8: compiling";
  if (stack[0]?.file === "[kernel.kallsyms]") {
    return system.find(([pattern]) => calls(pattern))?.[1] ?? "Linux: the rest";
  }
  const innermost = stack.find(({ symbol }) => symbol.startsWith("JS:"));
  if (innermost !== undefined) return folderOf(innermost.symbol);
  return calls(/llhttp/) ? "node:http" : "Node and V8, below JavaScript";
}

/** `JS:*answerTurn file:///…/src/gateway/answer-turn.ts:11:32`. */
function folderOf(symbol: string): string {
  if (symbol.startsWith("JS:wasm")) return "src/protocols";
  if (/ node:(?:_http_|http)/.test(symbol)) return "node:http";
  if (/ node:/.test(symbol)) return "node: sockets, streams, timers, promises";
  return /\/(src\/[^/]+|bench\/[^/:]+)/.exec(symbol)?.[1] ?? "the rest";
}
