import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { readOAuth, sampleAccount, saveSampleLogin } from "../contract/store-samples.ts";
import { finish, linesOf, startProgram } from "./child.ts";
import { useFolder } from "./folder.ts";
import { testKey } from "./test-key.ts";

describe("a store shared by processes", () => {
  const folder = useFolder();

  it("is made once when eight processes open it at the same time", async () => {
    const file = join(folder(), "new", "store.db");
    const children = Array.from({ length: 8 }, () => finish(startProgram("open-store", [file])));
    const lines = (await Promise.all(children)).flatMap(linesOf);
    expect(lines.map((line) => JSON.parse(line))).toEqual(children.map(() => ({ opened: true, credentials: 0 })));
  }, 120_000);

  it("lets one of eight competing processes spend each generation, once", async () => {
    const place = folder();
    const [file, log] = [join(place, "store.db"), join(place, "spent.log")];
    const store = await openSqliteStore({ file, key: testKey });
    const { id } = await saveSampleLogin(store);
    const generations = 20;

    const children = Array.from({ length: 8 }, () =>
      startProgram("spend-generations", [file, id, String(generations), log], { stdio: ["pipe", "pipe", "pipe"] }),
    );
    const results = children.map(finish);
    await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once("data", resolve))));
    for (const child of children) child.stdin?.end("go\n");
    for (const result of await Promise.all(results)) expect(linesOf(result)).toEqual(["ready"]);

    const spent = readFileSync(log, "utf8").trim().split("\n").map(Number);
    expect(spent).toEqual(Array.from({ length: generations - 1 }, (_, n) => n + 1));
    const credential = await readOAuth(store, id);
    expect(credential.grant.generation).toBe(generations);
    expect(credential.grant.refreshToken?.reveal()).toBe(`refresh-${generations}`);
    expect(credential).toMatchObject({ uses: generations - 1, relogin: null, unknownOutcome: null });
    await store.close();
  }, 120_000);

  it("loses no acknowledged write when its writers are killed at any moment", async () => {
    const file = join(folder(), "store.db");
    const first = await openSqliteStore({ file, key: testKey });
    const ids = [
      (await saveSampleLogin(first)).id,
      (await saveSampleLogin(first, { account: sampleAccount({ userId: "user-2" }) })).id,
    ];
    await first.close();

    for (let round = 1; round <= 6; round++) {
      const acknowledged = await Promise.all(ids.map((id, n) => killAfterWrites(file, id, 1 + ((round * 7 + n) % 23))));
      const store = await openSqliteStore({ file, key: testKey });
      for (const [n, id] of ids.entries()) {
        const { grant } = await readOAuth(store, id);
        // One more may have been committed whose acknowledgement was killed.
        expect(grant.generation - (acknowledged[n] ?? 0)).toBeOneOf([0, 1]);
        expect(grant.accessToken.reveal()).toBe(`access-${grant.generation}`);
      }
      await store.close();
    }
  }, 120_000);
});

/** Starts a writer, kills it with SIGKILL when it has acknowledged `count` writes, and resolves to the last generation. */
async function killAfterWrites(file: string, id: string, count: number): Promise<number> {
  const child = startProgram("write-until-killed", [file, id]);
  const ended = finish(child);
  let last = 0;
  let seen = 0;
  if (child.stdout === null) throw new Error("the child has no output");
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    if (++seen === count) child.kill("SIGKILL");
  }
  const { signal, stderr } = await ended;
  if (signal !== "SIGKILL") throw new Error(`the writer ended by itself: ${stderr}`);
  return last;
}
