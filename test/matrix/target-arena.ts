import { startSimulator, type BehaviourSpec, type Simulator } from "../../src/testing.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { ask } from "./ask.ts";
import { readAnswer } from "./read-answer.ts";
import { type Arena, playScenario, scenarios, type Verdict } from "./scenarios.ts";
import { endsWithAssistant } from "./stage-arena.ts";
import { pathOf, requestOf } from "./subjects.ts";

export interface TargetOptions {
  /** The gateway, without `/v1`. */
  readonly url: string;
  /** What it calls its route. `{id}` becomes the scenario's id in lower case: then nothing is remembered from one to the next. */
  readonly model: string;
  /** The key that the gateway wants; any if missing. */
  readonly key?: string;
  readonly dialect: ProtocolName;
  readonly stream: boolean;
  /** Where the gateway expects its providers. */
  readonly port: number;
  /** Which scenarios; all if missing. */
  readonly only?: RegExp;
  /** Ms between two scenarios, for a gateway that remembers failures. Default 0. */
  readonly pauseMs?: number;
  readonly onVerdict?: (verdict: Verdict) => void;
}

/** The key that the scripted provider takes from the gateway. */
export const providerKey = "matrix-provider-key";

const words = {
  primary: "The primary says: the show goes on tonight, whoever is on the stage.",
  fallback: "The fallback says: the show goes on tonight, whoever is on the stage.",
} as const;

const backendNames = { responses: "openai", "chat-completions": "chat", messages: "messages" } as const;

/** How a gateway has to be set up, in words for a person. */
export function describeSetup({ model, dialect, port }: Pick<TargetOptions, "model" | "dialect" | "port">): string {
  const base = dialect === "messages" ? `http://127.0.0.1:${port}` : `http://127.0.0.1:${port}/v1`;
  const ids = model.includes("{id}") ? scenarios.map(({ id }) => id.toLowerCase()) : [""];
  const lines = ids.map((id) => {
    const suffix = id === "" ? "" : `-${id}`;
    return `  ${model.replaceAll("{id}", id)}: primary${suffix}, then fallback${suffix}`;
  });
  return [
    `The gateway under test needs one provider: ${base}, protocol ${dialect}, key ${providerKey}.`,
    "Its models are called primary… and fallback…; routes, each with up to two retries, 30 s of patience and one fallback:",
    ...lines,
  ].join("\n");
}

/** Plays the scenarios against a gateway that was set up by hand, on the machine's own clock. */
export async function playAgainst(options: TargetOptions): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await using simulator = await startSimulator({ ports: { [backendNames[options.dialect]]: options.port } });
  const backend = simulator[backendNames[options.dialect]];
  backend.keys.add("gateway", providerKey);
  await waitFor(options, simulator);
  for (const scenario of scenarios) {
    if (options.only !== undefined && !options.only.test(scenario.id)) continue;
    if (verdicts.length > 0 && options.pauseMs !== undefined) await sleep(options.pauseMs);
    const arena = createArena(options, simulator, scenario.id.toLowerCase());
    const verdict = await playScenario(scenario, arena);
    arena.end();
    backend.clearScript();
    backend.release();
    verdicts.push(verdict);
    options.onVerdict?.(verdict);
  }
  return verdicts;
}

function createArena(options: TargetOptions, simulator: Simulator, id: string): Arena & { end(): void } {
  const backend = simulator[backendNames[options.dialect]];
  const suffix = options.model.includes("{id}") ? `-${id}` : "";
  const before = backend.requests.length;
  let holdMs = 120_000;
  const over = new AbortController();
  for (const who of ["primary", "fallback"] as const) {
    backend.setBehaviour("*", { name: "answer", text: words[who] }, { model: `${who}${suffix}` });
  }
  const follow = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await backend.until(() => backend.held > 0);
      await Promise.race([sleep(holdMs), backend.until(() => backend.held === 0)]);
      if (!over.signal.aborted) backend.release();
    }
  };
  void follow();
  return {
    dialect: options.dialect,
    stream: options.stream,
    words,
    fallbackModel: `fallback${suffix}`,
    primary(behaviour: BehaviourSpec, times) {
      const spec = { text: words.primary, ...behaviour };
      if (times === undefined) backend.setBehaviour("*", spec, { model: `primary${suffix}` });
      else backend.script(spec, { model: `primary${suffix}`, times });
    },
    holdFor(ms) {
      holdMs = ms;
    },
    ask() {
      return askTarget(options, options.model.replaceAll("{id}", id), `scenario ${id}`);
    },
    seen: () =>
      backend.requests.slice(before).flatMap(({ at, body, planned }) => {
        const { model } = (body ?? {}) as { model?: unknown };
        if (!planned || typeof model !== "string") return [];
        const who = model.startsWith("fallback") ? ("fallback" as const) : ("primary" as const);
        return [{ who, atMs: at, isPrefill: endsWithAssistant(body) }];
      }),
    now: () => Date.now(),
    pass: sleep,
    end: () => over.abort(),
  };
}

async function askTarget({ url, key, dialect, stream }: TargetOptions, model: string, prompt: string) {
  const reply = await ask({
    url: `${url.replace(/\/+$/, "")}${pathOf[dialect]}`,
    key: key ?? "unused",
    body: requestOf(dialect, model, prompt, stream),
    // The longest that any scenario may take.
    signal: AbortSignal.timeout(130_000),
  });
  return readAnswer(dialect, reply);
}

/** Until the gateway answers at all, at most five minutes. */
async function waitFor(options: TargetOptions, simulator: Simulator): Promise<void> {
  simulator[backendNames[options.dialect]].setBehaviour("*", { name: "answer", text: "ready" });
  for (const giveUpAt = Date.now() + 300_000; ; ) {
    try {
      const reading = await askTarget(options, options.model.replaceAll("{id}", "s16"), "are you there?");
      if (reading.kind === "answer") return;
      if (Date.now() > giveUpAt) throw new Error(`the gateway does not answer: ${reading.told}`);
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
    }
    await sleep(1_000);
  }
}

/** Keeps no process alive by itself. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
