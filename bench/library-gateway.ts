/**
 * The gateway of a built package, started through the library: with its journal and its metrics, without, or with each turn recorded five
 * times. There is no such switch in the product; this is how to measure what they cost. One process, since two of the same code differ by several percent for as long as they live, which goes
 * through `modes` by itself, every 512 turns: what a neighbour of the machine does lasts longer than that and falls on both sides alike. The time to the
 * first event is counted in all of them. It has no status page, and no spans.
 *
 * At SIGURG it writes the slices since the last time, as JSON, to FILE.
 *
 *   UNDERSTUDY_HOME=… node bench/library-gateway.ts DIST FILE
 */
import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TurnRecord } from "../src/core/events.ts";
import type * as ClientKeyModule from "../src/gateway/client-key.ts";
import type * as GatewayModule from "../src/gateway/gateway.ts";
import type * as WorkspaceModule from "../src/workspace.ts";

/** How many times a turn is written into the journal, and counted. */
const timesOf = { whole: 1, neither: 0, fivefold: 5 };
export type Mode = keyof typeof timesOf;

/**
 * What is on, one after the other, and from the beginning again. Each twice: turns are written a moment after they ended, so the first slice of a mode
 * pays for the last turns of the mode before.
 */
export const modes: readonly Mode[] = (["whole", "neither", "fivefold", "neither"] as const).flatMap((mode) => [
  mode,
  mode,
]);

/** So many turns that ended while one mode was on. */
export interface Slice {
  /** Its place in `modes`. */
  readonly at: number;
  /** What the process used, all threads, in µs. */
  readonly cpuUs: number;
  readonly ms: number;
}

/** Twice what is written at once. */
const turnsOfSlice = 512;

/** Notes what each slice cost, and goes on to the next. */
class Slices {
  #done: Slice[] = [];
  #at = 0;
  #turns = 0;
  #cpu = process.cpuUsage();
  #since = performance.now();

  /** How many times what happens now is recorded. */
  get times(): number {
    return timesOf[modes[this.#at] ?? "whole"];
  }

  /** A turn has ended. */
  count(): void {
    if (++this.#turns < turnsOfSlice) return;
    const { user, system } = process.cpuUsage(this.#cpu);
    const now = performance.now();
    this.#done.push({ at: this.#at, cpuUs: user + system, ms: now - this.#since });
    this.#at = (this.#at + 1) % modes.length;
    this.#turns = 0;
    this.#cpu = process.cpuUsage();
    this.#since = now;
  }

  take(): readonly Slice[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }
}

/** The process; not when somebody only wants to know its modes. */
async function main(dist: string, file: string): Promise<void> {
  const load = async <T>(name: string): Promise<T> => (await import(join(resolve(dist), name))) as T;
  const { openWorkspace } = await load<typeof WorkspaceModule>("workspace.js");
  const { createGateway } = await load<typeof GatewayModule>("gateway/gateway.js");
  const { clientKeyFile, readOrCreateClientKey } = await load<typeof ClientKeyModule>("gateway/client-key.js");

  const slices = new Slices();
  const workspace = await openWorkspace();
  const { store } = workspace;
  const appendTurn = store.appendTurn.bind(store);
  Object.assign(store, {
    appendTurn(turn: TurnRecord) {
      for (let i = slices.times; i > 0; i--) void appendTurn(turn);
      slices.count();
    },
  });
  const onTurn = workspace.onTurn.bind(workspace);
  Object.assign(workspace, {
    onTurn: (observe: Parameters<typeof onTurn>[0]) =>
      onTurn(() => {
        if (slices.times < 2) return slices.times === 0 ? null : observe();
        const observers = Array.from({ length: slices.times }, () => observe());
        return (event) => {
          for (const tell of observers) tell?.(event);
        };
      }),
  });
  const clientKey = readOrCreateClientKey(clientKeyFile(workspace.home));
  const gateway = await createGateway({ workspace, clientKey, port: 0, spans: false });
  process.on("SIGURG", () => {
    writeFileSync(`${file}.new`, JSON.stringify(slices.take()));
    renameSync(`${file}.new`, file);
  });
  console.log(gateway.url);
}

const [dist, file] = process.argv.slice(2);
if (import.meta.main && dist !== undefined && file !== undefined) await main(dist, file);
