import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/core/clock.ts";
import { storeContract } from "../../contract/store.ts";
import { sampleCooldown, sampleGrant, sampleLogin, sampleTurn, start } from "../../contract/store-samples.ts";
import { Disk } from "./disk.ts";
import { createModelStore, openModelStore } from "./model-store.ts";

// The simulation is worth what its store is worth: it passes the suite of the real ones.
storeContract("the model of the store", async (setup) => {
  const disk = new Disk();
  let store = openModelStore({ ...setup, disk });
  return {
    store,
    async reopen() {
      await store.close();
      store = openModelStore({ ...setup, disk });
      return store;
    },
    close: () => store.close(),
  };
});

const clock: Clock = { now: () => start, sleep: () => Promise.reject(new Error("the store must not sleep")) };

describe("a power cut in the model", () => {
  it("leaves every write that the port calls durable, and takes uses and turns that were not", () => {
    const disk = new Disk();
    const model = createModelStore({ disk, clock, journalLimit: 5 });
    const { credential } = model.sync.saveLogin(sampleLogin());
    model.sync.settleAnswered(credential.id, 1, sampleGrant("2"), null);
    model.sync.putCooldown(sampleCooldown());
    model.sync.recordUse(credential.id, start);
    model.sync.appendTurn(sampleTurn("t1"));
    model.flush();
    disk.loseMemory();
    const left = createModelStore({ disk, clock, journalLimit: 5 }).sync;
    expect(left.getCredential(credential.id)).toMatchObject({ uses: 0, grant: { generation: 2 } });
    expect(left.listCooldowns()).toHaveLength(1);
    expect(left.listTurns(5)).toEqual([]);
  });

  it("leaves uses and turns that a later durable write took with it", () => {
    const disk = new Disk();
    const model = createModelStore({ disk, clock, journalLimit: 5 });
    const { credential } = model.sync.saveLogin(sampleLogin());
    model.sync.recordUse(credential.id, start);
    model.flush();
    model.sync.putCooldown(sampleCooldown());
    disk.loseMemory();
    expect(model.sync.getCredential(credential.id)).toMatchObject({ uses: 1 });
  });
});
