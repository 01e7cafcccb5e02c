import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/testing.ts";
import { callersOf, now } from "./callers.ts";

let simulator: Simulator;
let ask: (key: "alice" | "bob", model?: string) => Promise<number | null>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  const { openai } = callersOf(simulator);
  const keys = { alice: openai.secret, bob: simulator.openai.keys.add("bob") };
  ask = async (key, model = "gpt-5.5") =>
    (await openai.call({ headers: { authorization: `Bearer ${keys[key]}` }, body: { model } })).status;
});
afterEach(() => simulator.close());

describe("the script of a backend", () => {
  it("is played in its order, then it answers", async () => {
    simulator.openai.script("server-error");
    simulator.openai.script("overloaded", { times: 2 });
    expect([await ask("alice"), await ask("bob"), await ask("alice"), await ask("alice")]).toEqual([
      500, 503, 503, 200,
    ]);
    expect(simulator.openai.unplayed).toEqual([]);
  });

  it("waits for the credential and the model it is for", async () => {
    simulator.openai.script("server-error", { for: "bob" });
    simulator.openai.script("overloaded", { model: "gpt-5.4-mini" });
    expect(await ask("alice")).toBe(200);
    expect(simulator.openai.unplayed).toEqual(["server-error", "overloaded"]);
    expect(await ask("alice", "gpt-5.4-mini")).toBe(503);
    expect(await ask("bob")).toBe(500);
    expect(await ask("bob")).toBe(200);
  });

  it("stands for a credential until it is taken back", async () => {
    simulator.openai.setBehaviour("bob", "quota-exhausted");
    expect([await ask("bob"), await ask("bob"), await ask("alice")]).toEqual([429, 429, 200]);
    simulator.openai.setBehaviour("bob", "billing");
    expect(await ask("bob")).toBe(402);
    simulator.openai.clearBehaviour("bob");
    expect(await ask("bob")).toBe(200);
  });

  it("prefers what is queued to what stands, and what is narrow to what is wide", async () => {
    simulator.openai.setBehaviour("alice", "answer", { model: "gpt-5.4-mini" });
    simulator.openai.setBehaviour("*", "server-error");
    simulator.openai.setBehaviour("alice", "overloaded");
    expect([await ask("bob"), await ask("alice"), await ask("alice", "gpt-5.4-mini")]).toEqual([500, 503, 200]);
    simulator.openai.script("billing", { for: "alice" });
    expect([await ask("alice"), await ask("alice")]).toEqual([402, 503]);
    simulator.openai.clearScript();
    expect([await ask("bob"), await ask("alice")]).toEqual([200, 200]);
  });

  it("refuses what does not exist, here or at all", () => {
    expect(() => simulator.openai.script("credit-balance")).toThrow("this backend has no credit-balance");
    expect(() => simulator.chat.setBehaviour("*", "soft-cancelled")).toThrow(TypeError);
    expect(() => simulator.openai.script("no-such-fault" as "answer")).toThrow("there is no behaviour");
    expect(() => simulator.openai.script("toString" as "answer")).toThrow("there is no behaviour");
    expect(simulator.openai.unplayed).toEqual([]);
  });

  it("counts the calls of each credential", async () => {
    await ask("alice");
    await ask("bob");
    simulator.openai.script("server-error");
    await ask("bob");
    expect([simulator.openai.callsOf("alice"), simulator.openai.callsOf("bob")]).toEqual([1, 2]);
    expect(simulator.openai.requests.map((request) => request.behaviour)).toEqual(["answer", "answer", "server-error"]);
  });
});
