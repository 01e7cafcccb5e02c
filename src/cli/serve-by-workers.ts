import cluster, { type Worker } from "node:cluster";
import { noteRunning } from "../gateway/running.ts";
import type { UnderstudyHome } from "../platform/home.ts";
import { exitCodes } from "./exit-codes.ts";
import { interruptSignal } from "./interrupt.ts";
import { say } from "./output.ts";

/** Workers that may be replaced before this counts as a fault that replacing does not cure. */
const replacementsLimit = 20;

/**
 * Runs this same command in `count` processes that share one port; the store is shared anyway. A worker that dies is replaced; one that never
 * comes to listen is not, since it has said why, and the others go on. At an interrupt each lets its turns finish. Gives the exit code.
 */
export async function serveByWorkers(
  count: number,
  home: UnderstudyHome,
  announce: (url: string) => void,
): Promise<number> {
  if (interruptSignal.aborted) return exitCodes.done;
  let forget: (() => void) | null = null;
  let replacements = 0;
  /** The exit code, once all are to end. */
  let ending: number | null = null;
  const listening = new Set<Worker>();
  /** Node's own list may hold one that has exited until its channel is closed, too. */
  const running = new Set<Worker>();

  function start(): void {
    running.add(cluster.fork());
  }
  function end(code: number): void {
    ending ??= code;
    for (const worker of running) stop(worker);
  }

  const ended = new Promise<number>((resolve) => {
    cluster.on("listening", (worker, { address, port }) => {
      listening.add(worker);
      // What it was told before may have come when nobody in it listened yet.
      if (ending !== null) stop(worker);
      if (forget !== null) return;
      const url = `http://${address ?? "127.0.0.1"}:${port}`;
      forget = noteRunning(home, url);
      announce(url);
    });
    cluster.on("exit", (worker, code, signal) => {
      running.delete(worker);
      const hadServed = listening.delete(worker);
      const name = `worker ${worker.process.pid ?? ""}`;
      // Who was killed has no code, whatever the types say.
      const fault = code > 0 ? code : exitCodes.failed;
      const how = signal ?? code;
      if (ending === null && hadServed) {
        if (++replacements <= replacementsLimit) {
          say(`${name} ended (${how}); another takes its place`);
          start();
          return;
        }
        end(fault);
      }
      if (running.size === 0) resolve(ending ?? fault);
      else if (ending === null) say(`${name} could not start (${how}); left without it: ${running.size}`);
    });
  });

  // A terminal interrupts the whole group: a message asks once more without being a second interrupt.
  interruptSignal.addEventListener("abort", () => end(exitCodes.done), { once: true });
  for (let i = 0; i < count; i += 1) start();
  const code = await ended;
  (forget as (() => void) | null)?.();
  return code;
}

function stop(worker: Worker): void {
  if (worker.isConnected()) worker.send("stop");
}
