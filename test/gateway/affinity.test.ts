import { describe, expect, it } from "vitest";
import { createAffinity } from "../../src/gateway/affinity.ts";
import { conversationOf } from "../../src/gateway/conversation.ts";
import { type GatewayRig, openGatewayRig } from "./rig.ts";

const hour = 3_600_000;

describe("a conversation's binding", () => {
  it("lives an hour after its last turn, and is renewed by each", () => {
    let now = 0;
    const affinity = createAffinity({ now: () => now });
    affinity.served("c", "ann");
    now = hour - 1;
    expect(affinity.preferred("c")).toBe("ann");
    now += hour - 1;
    expect(affinity.preferred("c")).toBe("ann");
    now += hour;
    expect(affinity.preferred("c")).toBeUndefined();
  });

  it("goes with who serves, and ends with a failure", () => {
    const affinity = createAffinity({ now: () => 0 });
    affinity.served("c", "ann");
    affinity.served("c", "ben");
    expect(affinity.preferred("c")).toBe("ben");
    affinity.failed("c");
    expect(affinity.preferred("c")).toBeUndefined();
  });

  it("makes room by forgetting who was unused for longest", () => {
    const affinity = createAffinity({ now: () => 0, limit: 2 });
    affinity.served("a", "x");
    affinity.served("b", "x");
    affinity.preferred("a");
    affinity.served("c", "x");
    expect([affinity.preferred("a"), affinity.preferred("b"), affinity.preferred("c")]).toEqual(["x", undefined, "x"]);
    expect(affinity.size).toBe(2);
  });
});

describe("a conversation's name", () => {
  const name = (headers: Record<string, string>, body: Record<string, unknown>): string =>
    conversationOf(headers, body as Parameters<typeof conversationOf>[1], JSON.stringify(body));

  it("is the narrowest that the harness gives", () => {
    const codex = { "session-id": "s", "thread-id": "t" };
    expect(name(codex, {})).toBe(name({ "thread-id": "t" }, { prompt_cache_key: "other" }));
    expect(name({ ...codex, "thread-id": "t2" }, {})).not.toBe(name(codex, {}));
  });

  it("comes from the body where no header says it", () => {
    expect(name({}, { prompt_cache_key: "k", input: "a" })).toBe(name({}, { prompt_cache_key: "k", input: "b" }));
    expect(name({}, { metadata: { user_id: "u" }, x: 1 })).toBe(name({}, { metadata: { user_id: "u" } }));
    expect(name({}, { conversation: { id: "c" } })).toBe(name({}, { conversation: "c" }));
  });

  it("is else how it begins, and stays the same while it grows", () => {
    const first = { role: "user", content: "How tall is the Eiffel tower?" };
    const more = [
      { role: "assistant", content: "330 m" },
      { role: "user", content: "And the Big Ben?" },
    ];
    for (const key of ["messages", "input"]) {
      expect(name({}, { system: "Be kind", [key]: [first, ...more] })).toBe(
        name({}, { system: "Be kind", [key]: [first] }),
      );
      expect(name({}, { system: "Be curt", [key]: [first] })).not.toBe(name({}, { system: "Be kind", [key]: [first] }));
      expect(name({}, { [key]: more })).not.toBe(name({}, { [key]: [first, ...more] }));
    }
  });

  it("tells nothing of what it was made from", () => {
    expect(name({ "session-id": "my-session" }, {})).toMatch(/^\d{1,10}\.\d{1,10}$/);
  });
});

describe("through the gateway", () => {
  const ask = async (rig: GatewayRig, thread: string): Promise<string> => {
    const body = { model: "codex/gpt-5.5", input: "hello" };
    const { headers } = await rig.ask("/v1/responses", { body, headers: { "thread-id": thread } });
    return String(headers["x-understudy-served-by"]).replace("codex/gpt-5.5/", "");
  };

  it("a conversation stays with its login while others take turns", async () => {
    await using rig = await openGatewayRig({ pools: { codex: { strategy: "round_robin" } } });
    const served: string[] = [];
    for (const thread of ["a", "b", "a", "b", "b", "a"]) served.push(await ask(rig, thread));
    expect(new Set([served[0], served[2], served[5]]).size).toBe(1);
    expect(new Set([served[1], served[3], served[4]]).size).toBe(1);
    expect(served[0]).not.toBe(served[1]);
  });

  it("goes to another login when its own has no more, and stays there", async () => {
    await using rig = await openGatewayRig();
    const { codex } = rig.stage.simulator;
    expect(await ask(rig, "a")).toBe("ann");
    codex.script({ name: "burst-limit", retryAfterS: 30 }, { for: "ann" });
    expect(await ask(rig, "a")).toBe("ben");
    await rig.stage.workspace.store.clearCooldowns({});
    expect([await ask(rig, "a"), await ask(rig, "new")]).toEqual(["ben", "ann"]);
  });

  it("stays with its login when its caller gives up or asks for what nobody answers", async () => {
    await using rig = await openGatewayRig();
    const { codex } = rig.stage.simulator;
    codex.script({ name: "burst-limit", retryAfterS: 30 }, { for: "ann" });
    expect(await ask(rig, "a")).toBe("ben");
    await rig.stage.workspace.store.clearCooldowns({});
    codex.script("content-policy");
    await ask(rig, "a");
    codex.script("no-headers");
    const controller = new AbortController();
    const body = { model: "codex/gpt-5.5", input: "hello" };
    const headers = { "thread-id": "a" };
    const left = rig.ask("/v1/responses", { body, headers, signal: controller.signal }).catch(() => {});
    await codex.until(() => codex.held === 1);
    controller.abort();
    await left;
    await codex.until(() => codex.aborted === 1);
    while (rig.gateway.openTurns > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await ask(rig, "a")).toBe("ben");
  });

  it("spreads over the logins when its own carries as many turns as it may, and comes back to it", async () => {
    await using rig = await openGatewayRig({ pools: { codex: { concurrency: 2 } } });
    const { codex } = rig.stage.simulator;
    expect(await ask(rig, "a")).toBe("ann");
    codex.setBehaviour("*", "slow-first-event");
    const agents: Promise<string>[] = [];
    const who = (): (string | null)[] => codex.requests.slice(1).map(({ credential }) => credential);
    // Each waits until the one before it is under way.
    for (let count = 1; count <= 5; count++) {
      agents.push(ask(rig, "a"));
      await codex.until(() => codex.held === count);
    }
    expect(who()).toEqual(["ann", "ann", "ben", "ben", "ann"]);
    codex.setBehaviour("*", "answer");
    codex.release();
    expect(await Promise.all(agents)).toEqual(["ann", "ann", "ben", "ben", "ann"]);
    // Nobody carries anything now: whoever served the conversation last goes first again.
    const last = await ask(rig, "a");
    expect(await ask(rig, "a")).toBe(last);
  });

  it("a login with a turn that failed or was given up carries nothing of it", async () => {
    await using rig = await openGatewayRig({ pools: { codex: { concurrency: 1 } } });
    const { codex } = rig.stage.simulator;
    codex.script("content-policy");
    await ask(rig, "a");
    codex.script("slow-first-event");
    const controller = new AbortController();
    const body = { model: "codex/gpt-5.5", input: "hello" };
    const left = rig.ask("/v1/responses", { body, signal: controller.signal }).catch(() => {});
    await codex.until(() => codex.held === 1);
    controller.abort();
    await left;
    await codex.until(() => codex.aborted === 1);
    await rig.stage.workspace.store.listTurns(1);
    expect(await ask(rig, "b")).toBe("ann");
  });
});
