import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { formatKey } from "../../src/stores/seal.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { type CliStage, openCliStage } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const [firstKey, secondKey] = [7, 9].map((byte) => formatKey(new Uint8Array(32).fill(byte)));

describe("store", () => {
  it("says where the store is and where its key comes from, and makes nothing", async () => {
    stage = await openCliStage();
    const file = join(stage.home, "understudy.db");
    const path = await stage.run(["store", "path"]);
    expect(path).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(path.stderr).toBe(`Its key comes from ${join(stage.home, "understudy.key")}.\n`);
    const json = await stage.run(["store", "path", "--json"], { env: { UNDERSTUDY_KEY: firstKey } });
    expect(JSON.parse(json.stdout)).toEqual({ kind: "sqlite", place: file, key: "UNDERSTUDY_KEY" });
    expect(() => readFileSync(file)).toThrow("ENOENT");
    for (const command of ["rekey", "copy --from sqlite --to elsewhere.db"]) {
      const missing = await stage.run(["store", ...command.split(" ")]);
      expect(missing).toMatchObject({ code: 2, stderr: `understudy: there is no store ${file}\n` });
    }
  });

  it("gives a store whose key is in a file a new one, and one from elsewhere the one that it is told", async () => {
    stage = await openCliStage();
    await stage.addCodexLogin("ann");
    const keyFile = join(stage.home, "understudy.key");
    const old = readFileSync(keyFile, "utf8");
    stage.canaries.push(old.trim());
    expect(await stage.run(["store", "rekey"])).toMatchObject({ code: 0, stdout: "" });
    const key = readFileSync(keyFile, "utf8");
    expect(key).not.toBe(old);
    expect((await stage.run(["auth", "list"])).stdout).toContain("ann");

    const told = await stage.run(["store", "rekey"], { env: { UNDERSTUDY_NEW_KEY: secondKey } });
    expect(told).toMatchObject({ code: 0, stdout: "" });
    expect(told.stderr).toContain("sealed with the new key now. Give it as UNDERSTUDY_KEY from now on");
    expect((await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY: secondKey } })).stdout).toContain("ann");
    const untold = await stage.run(["store", "rekey"], { env: { UNDERSTUDY_KEY: secondKey } });
    expect(untold.code).toBe(2);
    expect(untold.stderr).toContain('UNDERSTUDY_NEW_KEY="$(openssl rand -base64 32)"');
  });

  it("takes its key from a command, and says which variable is wrong without repeating it", async () => {
    stage = await openCliStage();
    const env = { UNDERSTUDY_KEY_COMMAND: `echo ${firstKey ?? ""}` };
    expect(await stage.run(["store", "migrate"], { env })).toMatchObject({ code: 0 });
    expect((await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY: firstKey } })).code).toBe(0);
    const wrong = "c2VjcmV0LXRoYXQtaXMtbm8ta2V5";
    stage.canaries.push(wrong);
    const bad = await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY: wrong } });
    expect(bad).toMatchObject({ code: 2, stderr: "understudy: UNDERSTUDY_KEY must hold 32 bytes as base64 or hex\n" });
    const none = await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY_COMMAND: `echo ${wrong}` } });
    expect(none.stderr).toBe("understudy: what UNDERSTUDY_KEY_COMMAND prints must hold 32 bytes as base64 or hex\n");
    const failing = await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY_COMMAND: "exit 3" } });
    expect(failing.stderr).toMatch(/^understudy: UNDERSTUDY_KEY_COMMAND: no key: .*\(exit 3\)\n$/);
  });
});

describeWithPostgres("store on PostgreSQL", (server) => {
  const config = (address: string): string => `store: "${address}"\n`;

  it("is all that the configuration has to name: a person makes the tables, and everything else goes as before", async () => {
    const address = server.newAddress();
    stage = await openCliStage(() => config(address));
    stage.canaries.push(new URL(address).password);
    const keyless = await stage.run(["auth", "list"]);
    expect(keyless.code).toBe(2);
    expect(keyless.stderr).toMatch(/takes its key from UNDERSTUDY_KEY .* or UNDERSTUDY_KEY_COMMAND/);
    stage.setEnv({ UNDERSTUDY_KEY: firstKey });
    const tableless = await stage.run(["auth", "list"]);
    expect(tableless.code).toBe(6);
    expect(tableless.stderr).toContain("has no tables yet. Run understudy store migrate.");
    expect((await stage.run(["store", "migrate"])).stderr).toMatch(
      /^Made the tables of postgres:\/\/.*, version 1\.\n$/,
    );
    expect((await stage.run(["store", "migrate"])).stderr).toMatch(/is up to date: version 1\.\n$/);
    await stage.addCodexLogin("ann");
    const answer = await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"]);
    expect(answer.stdout).toContain("The simulator heard: hello");
    expect((await stage.run(["why"])).stdout).toContain("ann");
    expect((await stage.run(["store", "path"])).stdout).toMatch(
      /^postgres:\/\/127\.0\.0\.1:\d+\/postgres\?schema=test_\w+\n$/,
    );
  });

  it("takes over what was in a file, both ways, without a word to the issuer, and warns of two stores", async () => {
    const address = server.newAddress();
    stage = await openCliStage();
    await stage.addCodexLogin("ann");
    stage.canaries.push(new URL(address).password);
    stage.setEnv({ UNDERSTUDY_KEY: firstKey });
    const copied = await stage.run(["store", "copy", "--from", "sqlite", "--to", address]);
    expect(copied).toMatchObject({ code: 0, stdout: "" });
    expect(copied.stderr).toMatch(/^Copied 1 credentials, 0 cooldowns and 0 turns to postgres:/);
    expect(copied.stderr).toContain("Both stores hold the same logins now, and a refresh token can be spent once");

    stage.writeConfig(config(address));
    expect((await stage.run(["auth", "list"])).stdout).toContain("ann");
    const again = await stage.run(["store", "copy", "--from", "sqlite", "--to", "postgres"]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("is not empty (1 credentials, 0 turns). Nothing was copied.");
    const merged = await stage.run(["store", "copy", "--from", "sqlite", "--to", "postgres", "--merge"]);
    expect(merged.stderr).toBe(
      `Copied 0 credentials (0 took the place of older ones, 1 were there already), 0 cooldowns and 0 turns to ${(await stage.run(["store", "path"])).stdout.trim()}.\n`,
    );

    const back = join(stage.home, "back.db");
    expect((await stage.run(["store", "copy", "--from", "postgres", "--to", back])).code).toBe(0);
    stage.writeConfig(`store: "${back}"\n`);
    expect((await stage.run(["auth", "list"])).stdout).toContain("ann");
    expect(stage.simulator.codexIssuer.requests).toEqual([]);
    const itself = await stage.run(["store", "copy", "--from", back, "--to", back]);
    expect(itself).toMatchObject({ code: 2, stderr: `understudy: ${back} can't be copied into itself\n` });
  });

  it("is given a new key while it is in use", async () => {
    const address = server.newAddress();
    stage = await openCliStage(() => config(address));
    stage.setEnv({ UNDERSTUDY_KEY: firstKey });
    await stage.run(["store", "migrate"]);
    await stage.addCodexLogin("ann");
    const rekeyed = await stage.run(["store", "rekey"], { env: { UNDERSTUDY_NEW_KEY: secondKey } });
    expect(rekeyed).toMatchObject({ code: 0, stdout: "" });
    expect((await stage.run(["auth", "list"], { env: { UNDERSTUDY_NEW_KEY: secondKey } })).stdout).toContain("ann");
    expect((await stage.run(["auth", "list"], { env: { UNDERSTUDY_KEY: secondKey } })).stdout).toContain("ann");
    const old = await stage.run(["auth", "list"]);
    expect(old.code).toBe(6);
    expect(old.stderr).toContain("the key doesn't fit the store");
  });
});
