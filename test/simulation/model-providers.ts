import type { TransportRequest } from "../../src/core/transport.ts";
import { anthropic } from "../../src/providers/anthropic.ts";
import { codex } from "../../src/providers/codex.ts";
import { openai } from "../../src/providers/openai.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { increase } from "./figures.ts";
import type { Lane } from "./lane.ts";
import type { Delivery } from "./network.ts";
import type { SimProcess } from "./sim-process.ts";
import { writeAnswer } from "./wire/answers.ts";
import {
  type CallContext,
  callersMistakes,
  type CallersMistake,
  goodReply,
  modelFaults,
  type ModelReply,
  type Truth,
  unauthorizedReply,
} from "./wire/model-faults.ts";
import type { World } from "./world.ts";

/** Logins and keys over all three protocols. `south` and `east` stand for what a person may have configured. */
export const simulatedProviders: readonly Provider[] = [
  { ...codex, baseUrl: "https://codex.sim/v1" },
  { ...codex, id: "south", protocol: "messages", baseUrl: "https://south.sim/v1" },
  { ...openai, baseUrl: "https://openai.sim/v1" },
  { ...anthropic, baseUrl: "https://anthropic.sim" },
  { ...openai, id: "east", protocol: "chat-completions", baseUrl: "https://east.sim/v1" },
];

/** A model call arrives at its provider. */
export function serveModel(world: World, process: SimProcess, lane: Lane, request: TransportRequest): Delivery {
  const provider = simulatedProviders.find((one) => request.url.startsWith(one.baseUrl ?? "-"));
  if (provider === undefined) throw new Error(`nobody is at ${request.url}`);
  const body = typeof request.body === "string" ? request.body : "";
  const secret = request.headers["x-api-key"] ?? (request.headers["authorization"] ?? "").replace("Bearer ", "");
  const model = /"model":"([^"]*)"/.exec(body)?.[1] ?? "";
  const { wire } = world.chance;
  const attempt = world.nextAttempt();
  const count = wire.whole(1, 6);
  const context: CallContext = {
    dialect: provider.protocol,
    streams: request.headers["accept"] === "text/event-stream",
    answer: writeAnswer(provider.protocol, attempt, count, provider.id === "codex"),
    chance: wire,
  };
  const credentialId = world.credentialOf(secret) ?? "nobody";
  const call = { provider: provider.id, credentialId, model, machine: process.machine.name };
  if (provider.signIn.kind === "codex") world.durability.used(secret, process);
  const { reply, truth, name } = decide(world, context, secret, body, call);
  if (name === "unauthorized") process.rejected.add(secret);
  if (name !== "good") increase(world.figures.counts, `fault: ${name}`);
  if (lane.turn !== null) {
    lane.turn.call = { ...call, attempt, at: world.scheduler.now, truth: reply.truth ?? truth, reply, words: count };
  }
  world.trace?.tell(
    process,
    `${provider.id} receives attempt ${attempt} of ${lane.turn?.id} as ${credentialId} for ${model}: ${name}`,
  );
  return { ...reply, delayMs: wire.span(20, 8_000) };
}

function decide(
  world: World,
  context: CallContext,
  secret: string,
  body: string,
  call: { provider: string; credentialId: string; model: string; machine: string },
): { reply: ModelReply; truth: Truth | null; name: string } {
  const isGood = secret.startsWith("key-") ? world.isKeyGood(call.credentialId) : world.isAccessGood(secret);
  if (!isGood) {
    const truth: Truth = { scope: "credential", reasons: ["auth"] };
    return { reply: unauthorizedReply(context), truth, name: "unauthorized" };
  }
  const mistake = /mistake:([\w-]+)/.exec(body)?.[1] as CallersMistake | undefined;
  if (mistake !== undefined) {
    const reasons =
      mistake === "context-overflow"
        ? "context_overflow"
        : mistake === "malformed"
          ? "invalid_request"
          : "content_policy";
    return { reply: callersMistakes[mistake](context), truth: { scope: "request", reasons: [reasons] }, name: mistake };
  }
  const fault = world.weather.meet(call, world.scheduler.now);
  if (fault === null) return { reply: goodReply(context), truth: null, name: "good" };
  return { reply: modelFaults[fault].reply(context), truth: modelFaults[fault], name: fault };
}
