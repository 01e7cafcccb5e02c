import { type LoadResult, runLoad, type SeenFailure } from "./native.ts";
import { type Answer, requestBody, write } from "./payloads.ts";
import { cpuNs, waitedNs } from "./process-cost.ts";
import { type Kind, kinds, type Measured, type Rates } from "./soak-result.ts";
import type { Target } from "./targets.ts";

export type Loads = Readonly<Record<Kind, LoadResult>>;

/** JSON and streams at the same time, as a soak asks for them. */
export interface SoakLoad {
  /** By the clock, or, without `rates`, each client asks again when it is answered. `suffix`: of the routes' names. */
  run(target: Target, suffix: string, ms: number, rates?: Rates): Promise<Loads>;
}

/**
 * Connections of each kind. More than are ever under way while the gateway keeps up; of both kinds together fewer than a server's queue of new
 * connections holds. What it can take is measured with as many: a crowd costs more of the processor's caches and of the heap than 32 clients do.
 */
const clients = 200;

/** `onFailure`: told of each turn that fails. */
export function createSoakLoad(
  folder: string,
  answers: Readonly<Record<Kind, Answer>>,
  onFailure: (failure: SeenFailure) => void,
): SoakLoad {
  const ask = (target: Target, kind: Kind, suffix: string, ms: number, rates: Rates | undefined): Promise<LoadResult> =>
    runLoad({
      port: target.port,
      path: target.path,
      headers: target.headers,
      body: write(folder, `${kind}${suffix}.request`, requestBody(`${kind}${suffix}`, 2_048, kind === "sse")),
      expect: answers[kind].expect,
      connections: clients,
      ms,
      warmMs: 0,
      graceMs: 60_000,
      ...(rates === undefined ? {} : { rate: rates[kind] }),
      onFailure,
    });
  return {
    async run(target, suffix, ms, rates) {
      const [json, sse] = await Promise.all(kinds.map((kind) => ask(target, kind, suffix, ms, rates)));
      if (json === undefined || sse === undefined) throw new Error("there are two kinds");
      return { json, sse };
    },
  };
}

/** What the gateway takes of both when nobody waits for a clock; or what it does at `rates`. */
export async function measure(
  load: SoakLoad,
  suffix: string,
  ms: number,
  gateway: Target,
  provider: { readonly pid: number },
  rates?: Rates,
): Promise<{ readonly measured: Measured; readonly loads: Loads }> {
  const begun = process.hrtime.bigint();
  const pid = gateway.pid ?? 0;
  const before = { gateway: cpuNs(pid), waited: waitedNs(pid), provider: cpuNs(provider.pid) };
  const loads = await load.run(gateway, suffix, ms, rates);
  const wallNs = Number(process.hrtime.bigint() - begun);
  const percent = (ns: number): number => (100 * ns) / wallNs;
  const { json, sse } = loads;
  const spent = cpuNs(pid) - before.gateway;
  const providerSpent = cpuNs(provider.pid) - before.provider;
  const tens = sumsOf(addUp(json.perSecond, sse.perSecond).slice(0, Math.floor(ms / 1_000)), 10);
  const measured = {
    seconds: ms / 1_000,
    rates: { json: json.requests / json.seconds, sse: sse.requests / sse.seconds },
    slowest: Math.min(...tens) / 10,
    fastest: Math.max(...tens) / 10,
    cpuUs: spent / 1_000 / (json.total + sse.total),
    providerUs: providerSpent / 1_000 / (json.total + sse.total),
    core: {
      gateway: percent(spent),
      provider: percent(providerSpent),
      load: percent((json.cpuMs + sse.cpuMs) * 1e6),
      gatewayWaited: percent(waitedNs(pid) - before.waited),
    },
  };
  return { measured, loads };
}

function addUp(some: readonly number[], others: readonly number[]): number[] {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, i) => (some[i] ?? 0) + (others[i] ?? 0));
}

/** Of each `count` numbers in a row. */
function sumsOf(numbers: readonly number[], count: number): number[] {
  const starts = Math.max(1, numbers.length - count + 1);
  return Array.from({ length: starts }, (_, i) => numbers.slice(i, i + count).reduce((sum, one) => sum + one, 0));
}
