import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { Secret } from "../../src/core/secret.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { startTurn } from "../../src/turn/turn.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { toTurnRequest } from "../../src/turn/turn-input.ts";

type TargetEntry = string | { readonly target: string; readonly credential: string };

/** As whom six turns at once were asked by somebody with these keys for a server that asks for none, one turn each at a time. */
async function askedAs(keys: readonly string[], target: TargetEntry = "local/qwen3"): Promise<ReadonlySet<string>> {
  const folder = mkdtempSync(join(tmpdir(), "keyless-"));
  const simulator = await startSimulator();
  simulator.chat.requireKey = false;
  const workspace = await openWorkspace({
    config: {
      routes: { small: [target] },
      providers: { local: { protocol: "chat-completions", baseUrl: simulator.baseUrls.chat } },
      pools: { local: { concurrency: 1 } },
    },
    env: { UNDERSTUDY_HOME: folder },
  });
  try {
    for (const label of keys) {
      const secret = new Secret(simulator.chat.keys.add(label));
      await workspace.store.addApiKey({ provider: "local", label, source: { from: "stored", secret }, at: Date.now() });
    }
    const turns = Array.from({ length: 6 }, () =>
      startTurn(workspace.runtime, toTurnRequest("hello"), { route: resolveRoute(workspace.config, "small") }),
    );
    for (const { answer } of turns) expect(await answer).toMatchObject({ text: "The simulator heard: hello" });
    expect(simulator.chat.requests).toHaveLength(6);
    return new Set(simulator.chat.requests.map(({ credential }) => credential ?? ""));
  } finally {
    await workspace.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("a server that asks for no key", () => {
  it("is asked without one by who has none", async () => {
    expect(await askedAs([])).toEqual(new Set(["anonymous"]));
  });

  it("is never asked without one by who has some, not even when all of them carry as many turns as they may", async () => {
    expect(await askedAs(["ann", "bob"])).toEqual(new Set(["ann", "bob"]));
  });

  it("is asked without one for a target that says so, and by nobody else for one that names a key", async () => {
    const target = "local/qwen3";
    expect(await askedAs(["ann"], { target, credential: "no key" })).toEqual(new Set(["anonymous"]));
    expect(await askedAs(["ann", "bob"], { target, credential: "bob" })).toEqual(new Set(["bob"]));
  });
});
