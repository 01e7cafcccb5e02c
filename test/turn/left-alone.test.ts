import { describe, expect, it } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { toTurnRequest } from "../../src/turn/turn-input.ts";
import { runTurn } from "../../src/turn/run-turn.ts";
import { openStage } from "../rig/stage.ts";
import { fetchOn } from "./crossing.ts";

describe("an answer that its caller leaves alone", () => {
  it("unread is closed: the connection, the journal and the login's load", async () => {
    await using stage = await openStage();
    await stage.addKey("openai", "k");
    const { openai } = stage.simulator;
    openai.script({ name: "stall-mid-text" });
    const response = await fetchOn(stage)("http://x/v1/responses", {
      method: "POST",
      body: JSON.stringify({ model: "openai/gpt-5.5", input: "hi", stream: true }),
    });
    expect(response.status).toBe(200);
    await response.body?.cancel();
    const [turn] = await stage.workspace.store.listTurns(1);
    expect(turn?.outcome).toBe("cancelled");
    const { load, store } = stage.workspace.runtime;
    const [credential] = await store.listCredentials("openai");
    expect(load?.of(credential?.id ?? "")).toBe(0);
  });

  it("in the middle of waiting is its caller's doing, and nobody's failure", async () => {
    await using stage = await openStage();
    await stage.addKey("openai", "k");
    stage.simulator.openai.script({ name: "stall-mid-text" });
    const response = await fetchOn(stage)("http://x/v1/responses", {
      method: "POST",
      body: JSON.stringify({ model: "openai/gpt-5.5", input: "hi", stream: true }),
    });
    const reader = response.body?.getReader();
    let waiting: Promise<unknown> | undefined;
    for (;;) {
      waiting = reader?.read();
      const isHere = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 100, null))]);
      if (isHere === null) break;
    }
    await reader?.cancel();
    await waiting;
    const [turn] = await stage.workspace.store.listTurns(1);
    expect(turn).toMatchObject({ outcome: "cancelled", attempts: [{ failure: null }] });
  });

  it("while somebody is looked for to go on: nobody goes on for nobody", async () => {
    await using stage = await openStage({
      routes: { show: { targets: ["openai/gpt-5.5", "local/qwen3"], continue: "text" } },
    });
    await stage.addKey("openai", "a");
    await stage.addKey("local", "b");
    const { openai, chat } = stage.simulator;
    openai.script({ name: "cut-mid-text", text: "The curtain rises on an empty stage, and nothing happens." });
    chat.script({ name: "slow-first-event", text: "Then the understudy steps out." });
    const result = await runTurn(stage.workspace.runtime, toTurnRequest("hi"), {
      route: resolveRoute(stage.workspace.config, "show"),
    });
    if (!result.ok) throw new Error("not answered");
    const seen: string[] = [];
    const reading = (async () => {
      for await (const part of result.answer.parts()) if (part.type === "text-delta") seen.push(part.text);
    })();
    await chat.until(() => chat.held > 0);
    await result.answer.close();
    stage.simulator.release();
    await reading;
    expect(seen.join("")).toMatch(/^The curtain rises/);
    expect(seen.join("")).not.toContain("understudy");
    expect((await result.done).outcome).toBe("cancelled");
    const { load, store } = stage.workspace.runtime;
    const logins = [...(await store.listCredentials("openai")), ...(await store.listCredentials("local"))];
    expect(logins.map(({ id }) => load?.of(id))).toEqual([0, 0]);
  });
});
