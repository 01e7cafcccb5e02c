import type { TurnEvent } from "../../src/core/events.ts";
import { createUnderstudy, type Understudy } from "../../src/index.ts";
import type { Backend } from "../../src/simulator/backends/backend.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { openStage, type StageOptions, type TestStage } from "../rig/stage.ts";

// The warnings are looked at, not printed.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** The scripted providers with a login or key for each, and the library as a program opens it. */
export interface AiStage extends AsyncDisposable {
  readonly stage: TestStage;
  readonly simulator: Simulator;
  readonly understudy: Understudy;
  /** Every event of every turn. */
  readonly events: TurnEvent[];
  /** Forgets all cooldowns, as if the time had passed. */
  recover(): Promise<void>;
}

/** Codex logins `ann` (and more, as named), the Anthropic key `k`, the local key `l`. */
export async function openAiStage(options: StageOptions & { readonly logins?: string[] } = {}): Promise<AiStage> {
  const stage = await openStage(options);
  for (const name of options.logins ?? ["ann"]) await stage.addCodexLogin(name);
  await stage.addKey("anthropic", "k");
  await stage.addKey("local", "l");
  const events: TurnEvent[] = [];
  const { store } = stage.workspace;
  const understudy = await createUnderstudy({
    config: stage.config,
    store,
    env: { UNDERSTUDY_HOME: stage.folder },
    random: () => 0,
    onEvent: (event) => events.push(event),
  });
  return {
    stage,
    simulator: stage.simulator,
    understudy,
    events,
    recover: async () => void (await store.clearCooldowns({})),
    async [Symbol.asyncDispose]() {
      await understudy.close();
      await stage[Symbol.asyncDispose]();
    },
  };
}

/** The backends in the order of the route `coding`. */
export function backendsOf({ codex, messages, chat }: Simulator): Backend[] {
  return [codex, messages, chat];
}

/** The body of the last model call that a backend has answered or refused. */
export function lastBody(backend: Backend): Record<string, unknown> {
  return (backend.requests.at(-1)?.body ?? {}) as Record<string, unknown>;
}

/** Everything that comes, in a list. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
