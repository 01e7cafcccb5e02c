import cluster, { type Worker } from "node:cluster";
import { noteRunning } from "../gateway/running.ts";
import type { UnderstudyHome } from "../platform/home.ts";
import { exitCodes } from "./exit-codes.ts";
import { interruptSignal } from "./interrupt.ts";
import { say } from "./output.ts";

/** Workers that may be replaced before this counts as a fault that replacing does not cure. */
const replacementsLimit = 20;

/**
 * Runs this same command in `count` processes that share one port; the store is shared anyway. A worker that dies is replaced. At
 * an interrupt each lets its turns finish. Gives the exit code.
 */
export async function serveByWorkers(
  count: number,
  home: UnderstudyHome,
  announce: (url: string) => void,
): Promise<number> {
  if (interruptSignal.aborted) return exitCodes.done;
  let forget: (() => void) | null = null;
  let replacements = 0;
  const listening = new Set<Worker>();

  const ended = new Promise<number>((resolve) => {
    cluster.on("listening", (worker, { address, port }) => {
      listening.add(worker);
      // What it was told before may have come when nobody in it listened yet.
      if (interruptSignal.aborted) stop(worker);
      if (forget !== null) return;
      const url = `http://${address ?? "127.0.0.1"}:${port}`;
      forget = noteRunning(home, url);
      announce(url);
    });
    cluster.on("exit", (worker, code) => {
      const hadServed = listening.delete(worker);
      const isLast = Object.keys(cluster.workers ?? {}).length === 0;
      if (interruptSignal.aborted) {
        if (isLast) resolve(exitCodes.done);
        return;
      }
      // One that never came to listen has said why, and so will the next.
      if (!hadServed || ++replacements > replacementsLimit) {
        stopAll();
        if (isLast) resolve(code === 0 ? exitCodes.failed : code);
        return;
      }
      say(`worker ${worker.process.pid ?? ""} ended (${code}); another takes its place`);
      cluster.fork();
    });
  });

  // A terminal interrupts the whole group: a message asks once more without being a second interrupt.
  interruptSignal.addEventListener("abort", stopAll, { once: true });
  for (let i = 0; i < count; i += 1) cluster.fork();
  const code = await ended;
  (forget as (() => void) | null)?.();
  return code;
}

function stopAll(): void {
  for (const worker of Object.values(cluster.workers ?? {})) if (worker !== undefined) stop(worker);
}

function stop(worker: Worker): void {
  if (worker.isConnected()) worker.send("stop");
}
