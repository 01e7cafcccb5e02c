import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/credentials/store.ts";
import { lookEveryMs } from "../../src/stores/sqlite/connection.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { sampleClaim, sampleTurn, saveSampleLogin, start } from "../contract/store-samples.ts";
import { useFolder } from "./folder.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
let file: string;
let store: Store;
/** What this one writes comes from nowhere, as from another process. */
let other: DatabaseSync;

beforeEach(async () => {
  file = join(folder(), "store.db");
  store = await openSqliteStore({ file, key: testKey });
  other = new DatabaseSync(file);
});
afterEach(async () => {
  other.close();
  await store.close();
});

describe("what another process has written", () => {
  it("is seen by turns a few milliseconds later, and by a claim at once", async () => {
    const { id } = await saveSampleLogin(store);
    const read = async (): Promise<number | undefined> => {
      const record = await store.readPool?.("codex", false);
      const [member] = record?.members ?? [];
      return member?.kind === "oauth" ? member.grant.generation : undefined;
    };
    expect(await read()).toBe(1);
    other.exec("UPDATE credential SET generation = 2");
    expect(await store.claimRefresh(sampleClaim(id))).toMatchObject({ outcome: "superseded" });
    expect(await store.getCredential(id)).toMatchObject({ grant: { generation: 2 } });
    expect(await store.listCredentials()).toMatchObject([{ grant: { generation: 2 } }]);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs + 5));
    expect(await read()).toBe(2);
  });
});

describe("how often a credential was used", () => {
  it("is told to those who order by it, from then on and as it was until then", async () => {
    const { id } = await saveSampleLogin(store);
    const uses = async (tells: boolean): Promise<number[]> => {
      const record = await store.readPool?.("codex", tells);
      return [
        ...(record?.members ?? []),
        ...(record?.changes ?? []).flatMap((one) => ("credential" in one ? [one.credential] : [])),
      ].map((one) => one.uses);
    };
    expect(await uses(false)).toEqual([0]);
    for (const at of [1, 2]) await store.recordUse(id, start + at);
    expect(await uses(false)).toEqual([0]);
    expect(await uses(true)).toEqual([2]);
    await store.recordUse(id, start + 3);
    expect(await uses(true)).toEqual([2, 3]);
    expect((await store.getCredential(id))?.uses).toBe(3);
  });
});

describe("the journals of several processes", () => {
  it("are one, numbered through", async () => {
    await store.appendTurn(sampleTurn("1"));
    await store.close();
    const [first, second] = [
      await openSqliteStore({ file, key: testKey }),
      await openSqliteStore({ file, key: testKey }),
    ];
    for (const id of ["2", "3"]) await first.appendTurn(sampleTurn(id));
    await second.appendTurn(sampleTurn("4"));
    await first.close();
    await second.close();
    store = await openSqliteStore({ file, key: testKey });
    expect((await store.listTurns(10)).map(({ id }) => id)).toEqual(["4", "3", "2", "1"]);
    expect(other.prepare("SELECT seq, count FROM turns ORDER BY seq").all()).toEqual([
      { seq: 1, count: 1 },
      { seq: 3, count: 2 },
      { seq: 4, count: 1 },
    ]);
  });
});
