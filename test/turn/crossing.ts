import { resolveRoute } from "../../src/config/resolve-route.ts";
import { createTurnFetch, type TurnFetch } from "../../src/turn/turn-fetch.ts";
import { openStage, type TestStage } from "../rig/stage.ts";

/** Who answers in turn: another account and another provider each time, and of each provider two accounts. */
const cast = [
  { provider: "codex", model: "gpt-5.5", label: "ann" },
  { provider: "anthropic", model: "claude-sonnet-4-5", label: "ada" },
  { provider: "local", model: "qwen3", label: "lee" },
  { provider: "openai", model: "gpt-5.5", label: "ole" },
  { provider: "codex", model: "gpt-5.5", label: "ben" },
  { provider: "anthropic", model: "claude-sonnet-4-5", label: "amy" },
  { provider: "openai", model: "gpt-5.5", label: "oda" },
  { provider: "local", model: "qwen3", label: "lou" },
] as const;

export const turnCount = 30;

/** The route that only the account whose turn it is serves. */
export function routeAt(turn: number): string {
  return `to-${playerAt(turn).label}`;
}

export function playerAt(turn: number): (typeof cast)[number] {
  return cast[turn % cast.length] ?? cast[0];
}

/** One picture of one pixel. */
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

export const toolSchema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

/** A stage on which every account has a route of its own, and Claude goes on from no prefill. */
export async function openCrossing(): Promise<TestStage> {
  const routes = Object.fromEntries(
    cast.map(({ provider, model, label }) => [`to-${label}`, [{ target: `${provider}/${model}`, credential: label }]]),
  );
  const stage = await openStage({ routes });
  for (const { provider, label } of cast) {
    if (provider === "codex") await stage.addCodexLogin(label);
    else await stage.addKey(provider, label);
  }
  stage.simulator.messages.takesPrefill = false;
  return stage;
}

/**
 * What the account whose turn it is will say: reasoning that only it can read, words, and none, one or two calls. The servers of one's
 * own number their calls anew in each answer, or make ids that nobody else takes.
 */
export function cue(stage: TestStage, turn: number): void {
  const { provider, label } = playerAt(turn);
  const { codex, openai, messages, chat } = stage.simulator;
  const backend = { codex, openai, anthropic: messages, local: chat }[provider];
  const toolCalls = Array.from({ length: turn % 3 }, (_, index) => ({
    ...(label === "lee" ? { id: `functions.weather:${index}` } : {}),
    ...(label === "lou" ? { id: `${"very-long-".repeat(8)}${turn} ${index}` } : {}),
    name: "weather",
    input: { city: `city ${turn} ${index}` },
  }));
  backend.script({ name: "answer", reasoning: `thought ${turn}`, text: `text ${turn}`, toolCalls }, { for: label });
}

/** A fetch that goes on after a restart of the stage. */
export function fetchOn(stage: TestStage): TurnFetch {
  return (input, init) => {
    const { runtime, config } = stage.workspace;
    return createTurnFetch({ runtime, resolveRoute: (model) => resolveRoute(config, model) })(input, init);
  };
}

/** What any provider refused by its own rules: who and why. */
export function refusals(stage: TestStage): string[] {
  return stage.simulator.requests.flatMap(({ credential, refused }) =>
    refused === null ? [] : [`${credential}: ${refused}`],
  );
}

/** What the last provider that was asked got to read. */
export function lastRequest(stage: TestStage): string {
  return JSON.stringify(stage.simulator.requests.findLast((request) => request.behaviour !== null)?.body);
}
