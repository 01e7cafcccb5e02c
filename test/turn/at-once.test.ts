import { describe, expect, it } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { clearAfterSuccess } from "../../src/turn/bench.ts";
import { listCandidates } from "../../src/turn/candidates.ts";
import { sampleTurn } from "../contract/store-samples.ts";
import { openStage } from "../rig/stage.ts";

// A healthy turn asks for this each time: a promise where everything is known would be made, waited for and thrown away.

describe("what a turn that goes well reads and writes of the state, with a SQLite store", () => {
  it("is done at once", async () => {
    await using stage = await openStage({ env: { LOCAL_KEY: "key-of-the-environment" } });
    const login = await stage.addCodexLogin("ann");
    await stage.addKey("openai", "bob");
    const { runtime, store, config } = stage.workspace;
    const candidates = listCandidates(runtime, resolveRoute(config, "coding"));
    if (candidates instanceof Promise) throw new Error("the candidates were not there at once");
    const candidate = candidates.line.current;
    if (candidate === null) throw new Error("nobody is there");
    expect(candidate.credential.id).toBe(login.id);
    const key = (await store.listCredentials("openai"))[0];
    if (key?.kind !== "api_key") throw new Error("the key is not there");
    const done: Record<string, unknown> = {
      readPool: store.readPool?.("codex", false),
      open: runtime.pools?.open("codex", "least_used", [], runtime.clock),
      listCooldownsOf: store.listCooldownsOf?.("codex", login.id),
      makeGood: runtime.keeper.makeGood(login),
      storedKey: runtime.readKey(key.source),
      variable: runtime.readKey({ from: "env", name: "LOCAL_KEY" }),
      recordUse: store.recordUse(login.id, Date.now()),
      appendTurn: store.appendTurn(sampleTurn("t1")),
      clearAfterSuccess: clearAfterSuccess(store, candidate, Date.now()),
    };
    expect(Object.keys(done).filter((name) => done[name] instanceof Promise)).toEqual([]);
  });
});
