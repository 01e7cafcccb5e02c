import { expect, it } from "vitest";
import { openWorkspace } from "../../src/workspace.ts";
import { formatKey } from "../../src/stores/seal.ts";
import { isUnderstudyError } from "../../src/core/error.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { openStage, type StageOptions, type TestStage } from "../rig/stage.ts";
import { finish, linesOf, startProgram } from "./child.ts";
import { newPostgresPlace } from "./postgres-store.ts";
import { testKey } from "./test-key.ts";

const env = { UNDERSTUDY_KEY: formatKey(testKey) };

/** How long and how often something is waited for that comes by itself. */
const soon = { timeout: 20_000, interval: 25 };

const openStageOn = (store: string, options: StageOptions = {}): Promise<TestStage> =>
  openStage({ ...options, store, env });

describeWithPostgres(
  "turns on a PostgreSQL store",
  (server) => {
    it("go on from what is known while the server is away, and cooldowns from then are kept", async () => {
      const place = await newPostgresPlace(server);
      await using stage = await openStageOn(place, { routes: { two: ["openai/gpt-5.5"] } });
      await stage.addKey("openai", "one");
      await stage.addKey("openai", "two");
      expect((await stage.turn("hello", "two")).servedBy.credential.label).toBe("one");

      await server.whileAway(async () => {
        stage.simulator.openai.setBehaviour("one", "quota-exhausted");
        expect((await stage.turn("hello", "two")).servedBy.credential.label).toBe("two");
        expect(stage.story).toEqual(["one billing", "two ok"]);
        // What was learned in the outage counts at once, though nobody can write it.
        await stage.turn("hello", "two");
        expect(stage.story).toEqual(["two ok"]);
        const adding = stage.workspace.store.addApiKey({ provider: "x", label: "x", source: { from: "none" }, at: 0 });
        await expect(adding).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
      });
      await expect
        .poll(() => server.query(place, "SELECT reason FROM cooldown").catch(() => []), soon)
        .toEqual([{ reason: "billing" }]);
      await expect
        .poll(() => server.query(place, "SELECT count(*) AS turns FROM turn").catch(() => []), soon)
        .toEqual([{ turns: "3" }]);
    });

    it("are all answered while the server is restarted under them", async () => {
      const place = await newPostgresPlace(server);
      await using stage = await openStageOn(place, {
        routes: { two: ["openai/gpt-5.5", "anthropic/claude-opus-4-8"] },
      });
      await stage.addKey("openai", "one");
      await stage.addKey("anthropic", "two");
      await stage.turn("warm", "two");
      const restarts = { over: false };
      const counts = Array.from({ length: 4 }, async () => {
        let turns = 0;
        for (; !restarts.over || turns < 5; turns++) expect((await stage.turn("hello", "two")).text).toContain("hello");
        return turns;
      });
      for (let n = 0; n < 3; n++) {
        await server.whileAway(() => Promise.resolve());
      }
      restarts.over = true;
      const turns = (await Promise.all(counts)).reduce((sum, count) => sum + count, 1);
      const { store } = stage.workspace;
      await expect.poll(async () => (await store.listTurns(10_000).catch(() => [])).length, soon).toBe(turns);
    });

    it("use a living token while the server is away, and refresh when it is back", async () => {
      const place = await newPostgresPlace(server);
      await using stage = await openStageOn(place, { routes: { one: ["codex/gpt-5.5"] } });
      // Within the early window: each turn would like to refresh in the background.
      await stage.addCodexLogin("ann", { expiresInS: 120 });
      await stage.workspace.store.listCredentials();
      await server.whileAway(async () => {
        for (let n = 0; n < 3; n++) expect((await stage.turn("hello", "one")).text).toContain("hello");
        expect(stage.simulator.codexIssuer.counters.refreshes).toBe(0);
      });
      await expect
        .poll(async () => [await stage.turn("hello", "one"), stage.simulator.codexIssuer.counters.refreshes][1], soon)
        .toBe(1);
      await stage.workspace.keeper.idle();
      expect(stage.simulator.codexIssuer.presentedTwice).toBe(0);
    });

    it("of two installations share logins, cooldowns and the journal", async () => {
      const place = await newPostgresPlace(server);
      await using here = await openStageOn(place);
      await here.addKey("local", "key");
      const there = await openWorkspace({
        config: here.config,
        env: { UNDERSTUDY_HOME: `${here.folder}/elsewhere`, ...env },
      });
      try {
        expect((await there.store.listCredentials()).map(({ label }) => label)).toEqual(["key"]);
        here.simulator.chat.setBehaviour("key", "quota-exhausted");
        await expect(here.turn("hello", "local/qwen3")).rejects.toThrow();
        expect(await there.store.listCooldowns("local")).toMatchObject([{ reason: "billing" }]);
        await here.workspace.close();
        expect(await there.store.listTurns(10)).toHaveLength(1);
      } finally {
        await there.close();
      }
    });
  },
  { ownServer: true },
);

describeWithPostgres("several processes on a PostgreSQL store", (server) => {
  it("redeem a refresh token once when its access token ends for all of them at the same moment", async () => {
    const place = await newPostgresPlace(server);
    await using stage = await openStageOn(place);
    await stage.addCodexLogin("ann", { expiresInS: -1 });
    const children = Array.from({ length: 3 }, (_, n) =>
      startProgram("refresh-when-told", [JSON.stringify(stage.config), "100"], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, ...env, UNDERSTUDY_HOME: `${stage.folder}/${n}` },
      }),
    );
    const results = children.map(finish);
    await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once("data", resolve))));
    for (const child of children) child.stdin?.end("go\n");
    for (const result of await Promise.all(results)) expect(linesOf(result)).toEqual(["ready", "[2]"]);
    const { counters, presentedTwice } = stage.simulator.codexIssuer;
    expect({ refreshes: counters.refreshes, presentedTwice }).toEqual({ refreshes: 1, presentedTwice: 0 });
  }, 60_000);
});
