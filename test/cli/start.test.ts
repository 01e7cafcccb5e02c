import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { bundledCli } from "../bundled-cli.ts";
import { type CliStage, openCliStage } from "./rig.ts";

/** What the program keeps for its next start, and what it must not. */

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());
const cache = (name: string): string => join(stage.home, "cache", name);
const list = (env: Record<string, string | undefined> = {}) => stage.run(["auth", "list"], { env });

describe("a start", () => {
  it("takes what it kept of the configuration only while the text is the same", async () => {
    stage.writeConfig("routes: { coding: [openai/gpt-5.5] }\n");
    expect((await list()).stdout).toMatch(/^openai /);
    expect(JSON.parse(readFileSync(cache("config.json"), "utf8"))).toMatchObject({
      config: { routes: { coding: ["openai/gpt-5.5"] } },
    });
    // From here on nothing is read but what was kept.
    expect((await list()).stdout).toMatch(/^openai /);
    stage.writeConfig("routes: { coding: [anthropic/claude-sonnet-5] }\n");
    expect((await list()).stdout).toMatch(/^anthropic /);
    stage.writeConfig("routes: { coding: [anthropic] }\n");
    const wrong = await list();
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("config.yaml:1:20: routes.coding[0]");
  });

  it("keeps no address that may hold a password, and no headers", async () => {
    const before = readFileSync(cache("config.json"), "utf8");
    for (const text of [
      "store: postgres://ann:a-password-1@127.0.0.1:1/understudy\n",
      "providers: { local: { protocol: messages, baseUrl: http://127.0.0.1:1, headers: { X-Team: blue } } }\n",
    ]) {
      stage.writeConfig(text);
      await stage.run(["routes"]);
      expect(readFileSync(cache("config.json"), "utf8")).toBe(before);
    }
  });

  it("keeps compiled code only where nobody else can write", async () => {
    stage.writeConfig("");
    const env = { NODE_COMPILE_CACHE: undefined };
    chmodSync(stage.home, 0o777);
    await list(env);
    expect(existsSync(cache("compiled"))).toBe(false);
    chmodSync(stage.home, 0o700);
    await list(env);
    expect(existsSync(cache("compiled"))).toBe(true);
    await list({ ...env, UNDERSTUDY_HOME: join(stage.home, "nowhere") });
    expect(existsSync(join(stage.home, "nowhere"))).toBe(false);
  });

  it("keeps what a small command has compiled, and compiles it again when that is of no use", async () => {
    stage.writeConfig("");
    const env = { NODE_COMPILE_CACHE: undefined };
    const folder = join(cache("compiled"), `${process.version}-${process.arch}`);
    const kept = (): string[] => readdirSync(folder).filter((name) => name.startsWith("auth-list.start-"));
    const first = await list(env);
    const [name = "", ...more] = kept();
    expect(more).toEqual([]);
    const file = join(folder, name);
    const { ino, mode } = statSync(file);
    expect(mode & 0o777).toBe(0o600);
    expect(await list(env)).toEqual(first);
    expect(statSync(file).ino).toBe(ino);
    for (const useless of [Buffer.alloc(0), readFileSync(file).subarray(0, -1), Buffer.alloc(100_000, 7)]) {
      writeFileSync(file, useless);
      expect(await list(env)).toEqual(first);
      expect(readFileSync(file).equals(useless)).toBe(false);
    }
    // Of another bundle, perhaps.
    writeFileSync(join(folder, "auth-list.start-before-1-1"), "");
    rmSync(file);
    expect(await list(env)).toEqual(first);
    expect(kept()).toEqual([name]);
    rmSync(folder, { recursive: true });
    await list({ NODE_COMPILE_CACHE: join(stage.home, "elsewhere") });
    await list({ ...env, NODE_DISABLE_COMPILE_CACHE: "1" });
    expect(existsSync(folder)).toBe(false);
  });

  it("that only looks changes nothing in the store", async () => {
    const { code } = await stage.run(["auth", "add", "openai", "--api-key-stdin"], { input: "sk-scripted-key-0001\n" });
    expect(code).toBe(0);
    const file = join(stage.home, "understudy.db");
    const before = [statSync(file).mtimeMs, readFileSync(file).toString("base64")];
    expect((await list()).stdout).toContain("key-1");
    expect((await stage.run(["auth", "status"])).code).toBe(0);
    expect([statSync(file).mtimeMs, readFileSync(file).toString("base64")]).toEqual(before);
  });

  it("loads of Node neither ciphers nor streams, once the key is known to fit", async () => {
    const tell = join(stage.home, "tell-loaded.cjs");
    writeFileSync(tell, "process.on('exit', () => process._rawDebug(process.moduleLoadList.join('; ')))");
    for (const args of [
      ["auth", "list"],
      ["auth", "status", "--json"],
    ]) {
      const { code, stderr } = await stage.run(args, { nodeArgs: ["--require", tell] });
      expect(code).toBe(0);
      expect(stderr).toContain("NativeModule sqlite");
      expect(stderr).not.toMatch(
        /NativeModule (crypto|stream|net|tty|child_process|timers\/promises|zlib|http2?|tls)\b/,
      );
    }
  });

  it("that only looks tells of a key that does not fit, whatever was known before", async () => {
    const file = join(stage.home, "understudy.key");
    const right = readFileSync(file);
    for (const wrong of [Buffer.alloc(32, 7), Buffer.alloc(32, 8)]) {
      writeFileSync(file, `${wrong.toString("base64")}\n`);
      expect(await list()).toMatchObject({ code: 6, stderr: expect.stringContaining("the key doesn't fit") as string });
    }
    writeFileSync(file, right);
    expect(await list()).toMatchObject({ code: 0 });
    const other = { UNDERSTUDY_KEY: Buffer.alloc(32, 9).toString("base64") };
    expect(await list(other)).toMatchObject({ code: 6 });
    rmSync(file);
    expect(await list()).toMatchObject({ code: 6, stderr: expect.stringContaining("is missing") as string });
    writeFileSync(file, right, { mode: 0o600 });
  });

  it("tells of an altered secret when it is needed, and always in doctor", async () => {
    const database = new DatabaseSync(join(stage.home, "understudy.db"));
    database.exec("UPDATE credential SET secret = zeroblob(60)");
    database.close();
    expect((await list()).stdout).toContain("key-1");
    const doctor = await stage.run(["doctor"]);
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringMatching(/the stored secret of openai/) as string });
  });

  it("ends in peace when nobody reads what it says", async () => {
    const running = stage.start(["auth", "list"]);
    running.child.stdout.destroy();
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  it("says of a key file that is no good how else the key can be given", async () => {
    writeFileSync(join(stage.home, "understudy.key"), "no key\n");
    const args = ["auth", "add", "openai", "--api-key-stdin"];
    const { code, stderr } = await stage.run(args, { input: "sk-scripted-key-0002\n" });
    expect(code).toBe(6);
    expect(stderr).toMatch(
      /the key file \S+ holds no key .* put it back from a copy, or give the key in UNDERSTUDY_KEY\./,
    );
  });

  it.runIf(process.getuid?.() === 0)("needs no home folder when it is told where to work", () => {
    // A user whom the system does not know, as in a container; and nobody has set HOME.
    const home = mkdtempSync(join(tmpdir(), "understudy-stranger-"));
    chownSync(home, 54_321, 54_321);
    try {
      const run = (env: Record<string, string>) => {
        const { PATH = "" } = process.env;
        const stranger = { uid: 54_321, gid: 54_321, env: { PATH, ...env }, encoding: "utf8" } as const;
        const { status, stderr } = spawnSync(process.execPath, [bundledCli, "auth", "list"], stranger);
        return { status, stderr };
      };
      expect(run({ UNDERSTUDY_HOME: home })).toEqual({
        status: 0,
        stderr: expect.stringMatching(/^No login and no key yet\./) as string,
      });
      expect(run({})).toEqual({
        status: 2,
        stderr: "understudy: no home folder is known: set UNDERSTUDY_HOME to a folder for this program\n",
      });
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
