import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { createTurnFetch, type TurnFetch } from "../../src/turn/turn-fetch.ts";
import { openStage, type TestStage } from "../rig/stage.ts";

function fetchOf(stage: TestStage): TurnFetch {
  return createTurnFetch({
    runtime: stage.workspace.runtime,
    resolveRoute: (model) => resolveRoute(stage.workspace.config, model),
  });
}
const openai = (stage: TestStage): OpenAI =>
  new OpenAI({ apiKey: "unused", baseURL: "http://understudy/v1", fetch: fetchOf(stage) });
const anthropic = (stage: TestStage): Anthropic => new Anthropic({ apiKey: "unused", fetch: fetchOf(stage) });

async function openAll(): Promise<TestStage> {
  const stage = await openStage();
  await stage.addCodexLogin("ann");
  await stage.addCodexLogin("ben");
  await stage.addKey("anthropic", "k");
  await stage.addKey("local", "l");
  return stage;
}

describe("the fetch for the official SDKs", () => {
  it("openai streams a response over an account that runs dry in mid-thought", async () => {
    await using stage = await openAll();
    stage.simulator.codex.script({ name: "soft-quota", after: "reasoning" }, { for: "ann" });
    let text = "";
    let completed = 0;
    for await (const event of await openai(stage).responses.create({ model: "coding", input: "hello", stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") completed += 1;
    }
    expect([text, completed]).toEqual(["The simulator heard: hello", 1]);
  });

  it("openai gets a whole response from a backend that only streams", async () => {
    await using stage = await openAll();
    const response = await openai(stage).responses.create({ model: "coding", input: "hello", max_output_tokens: 100 });
    expect(response.output_text).toBe("The simulator heard: hello");
    expect(response.status).toBe("completed");
  });

  it("openai's chat completions are served by whoever is left, in another protocol too", async () => {
    await using stage = await openAll();
    stage.simulator.codex.setBehaviour("*", "quota-exhausted");
    const { data, response } = await openai(stage)
      .chat.completions.create({ model: "coding", messages: [{ role: "user", content: "hello" }] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe("The simulator heard: hello");
    expect(response.headers.get("x-understudy-served-by")).toBe("anthropic/claude-opus-4-8/k");
    expect(response.headers.get("x-understudy-attempts")).toBe("3");
    expect(response.headers.get("x-understudy-switched")).toBe("true");
  });

  it("anthropic streams an answer that a Responses backend gave, with a tool call", async () => {
    await using stage = await openAll();
    stage.simulator.codex.script("tool-call");
    const message = await anthropic(stage)
      .messages.stream({
        model: "coding",
        max_tokens: 1_000,
        tools: [
          {
            name: "weather",
            input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
          },
        ],
        messages: [{ role: "user", content: "hello" }],
      })
      .finalMessage();
    expect(message.stop_reason).toBe("tool_use");
    expect(message.content).toMatchObject([{ type: "tool_use", name: "weather", input: { city: "simulated" } }]);
  });

  it("a route that is spent is one error in the client's own words, and the client does not repeat it", async () => {
    await using stage = await openAll();
    for (const backend of [stage.simulator.codex, stage.simulator.messages, stage.simulator.chat]) {
      backend.setBehaviour("*", { name: "quota-exhausted", resetsInS: 7_200 });
    }
    const error = await openai(stage)
      .responses.create({ model: "coding", input: "hello" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, type: "usage_limit_reached" });
    expect(String(error)).toContain("codex/gpt-5.5 · ann: the plan's limit is reached");
    expect(stage.simulator.codex.requests).toHaveLength(2);
  });

  it("an unknown model, a broken body and an unknown path are told apart", async () => {
    await using stage = await openAll();
    const turnFetch = fetchOf(stage);
    const post = (path: string, body: string): Promise<Response> =>
      turnFetch(`http://understudy${path}`, { method: "POST", body });
    expect((await post("/v1/responses", '{"model":"no-such-model"}')).status).toBe(404);
    expect((await post("/v1/responses", "{")).status).toBe(400);
    expect((await post("/v1/embeddings", "{}")).status).toBe(404);
    expect(stage.simulator.requests).toEqual([]);
  });

  it("the caller's own key and host are not used", async () => {
    await using stage = await openAll();
    await openai(stage).responses.create({ model: "coding", input: "hello" });
    const [request] = stage.simulator.codex.requests;
    expect(JSON.stringify(request)).not.toContain("unused");
    expect(request?.credential).toBe("ann");
  });
});
