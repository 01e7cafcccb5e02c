import cluster, { type Worker } from "node:cluster";
import type { MetricFamily } from "../telemetry/prometheus.ts";

/**
 * Each worker counts for itself, and any of them may be asked for the metrics: so it asks the first process, which asks the others.
 *
 *   worker A ── wanted ──▶ first process ── asked ──▶ every other worker ── given ──▶ first process ── others ──▶ worker A
 */
type Message =
  | { readonly type: "metrics-wanted"; readonly ask: number }
  | { readonly type: "metrics-asked"; readonly ask: string }
  | { readonly type: "metrics-given"; readonly ask: string; readonly families: Families }
  | { readonly type: "metrics-of-others"; readonly ask: number; readonly processes: readonly Families[] };

type Families = readonly MetricFamily[];

/** A worker that does not answer by then is left out, in ms. */
const patienceMs = 1_000;

/** In the first process: passes questions and answers on. */
export function passMetricsOn(): void {
  const open = new Map<string, (families: Families) => void>();
  let asks = 0;

  async function askOthers(from: Worker, ask: number): Promise<void> {
    const others = Object.values(cluster.workers ?? {})
      .filter((one) => one !== undefined)
      .filter(({ id }) => id !== from.id);
    const answers = await Promise.all(others.map(askOne));
    const processes = answers.filter((families) => families !== null);
    if (from.isConnected()) from.send({ type: "metrics-of-others", ask, processes } satisfies Message);
  }

  function askOne(worker: Worker): Promise<Families | null> {
    return new Promise((resolve) => {
      const ask = String(asks++);
      const settle = (families: Families | null): void => {
        clearTimeout(timer);
        open.delete(ask);
        resolve(families);
      };
      const timer = setTimeout(() => settle(null), patienceMs);
      open.set(ask, settle);
      if (worker.isConnected()) worker.send({ type: "metrics-asked", ask } satisfies Message);
      else settle(null);
    });
  }

  cluster.on("message", (worker, message: Message) => {
    if (message.type === "metrics-wanted") void askOthers(worker, message.ask);
    if (message.type === "metrics-given") open.get(message.ask)?.(message.families);
  });
}

/** In a worker: asks for what the others count. Empty when there are none, or none answers. */
export function askForMetrics(): Promise<readonly Families[]> {
  const { promise, resolve } = Promise.withResolvers<readonly Families[]>();
  const ask = asked++;
  const listen = (message: Message): void => {
    if (message.type === "metrics-of-others" && message.ask === ask) resolve(message.processes);
  };
  const timer = setTimeout(() => resolve([]), 2 * patienceMs);
  process.on("message", listen);
  process.send?.({ type: "metrics-wanted", ask } satisfies Message);
  return promise.finally(() => {
    clearTimeout(timer);
    process.off("message", listen);
  });
}

let asked = 0;

/** In a worker: answers when another one wants to know. */
export function giveMetrics(read: () => Promise<Families>): void {
  process.on("message", (message: Message) => {
    if (message.type !== "metrics-asked") return;
    const { ask } = message;
    void read().then((families) => process.send?.({ type: "metrics-given", ask, families } satisfies Message));
  });
}
