import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import type { KeySource } from "../../src/credentials/credential.ts";
import { readKeySource } from "../../src/platform/read-key-source.ts";

let folder = "";
const env = { PATH: process.env["PATH"], MY_KEY: " sk-env-1234 ", BLANK: " ", DUMMY: "changeme", TWO: "two words" };
const file = async (name: string, text: string): Promise<KeySource> => {
  await writeFile(join(folder, name), text);
  return { from: "file", path: join(folder, name) };
};
const command = (text: string): KeySource => ({ from: "command", command: text });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-key-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a key", () => {
  it.each<[string, KeySource, string]>([
    ["stored", { from: "stored", secret: new Secret("sk-stored") }, "sk-stored"],
    ["in the environment", { from: "env", name: "MY_KEY" }, "sk-env-1234"],
    ["printed by a command", command("echo sk-command"), "sk-command"],
    ["on the first line that a command prints", command("printf 'sk-first\\r\\nsecond\\n'"), "sk-first"],
    ["made by a pipe of the shell", command("echo sk-PIPE | tr A-Z a-z"), "sk-pipe"],
    ["that a command takes from the environment given", command('echo "$MY_KEY"'), "sk-env-1234"],
  ])("%s is read", async (_name, source, expected) => {
    expect((await readKeySource(source, { env }))?.reveal()).toBe(expected);
  });

  it.each([
    ["sk-file\n", "sk-file"],
    ["\uFEFFsk-file", "sk-file"],
    ["  sk-file  \r\nsecond line\n", "sk-file"],
    ["\n\nsk-file", "sk-file"],
  ])("in a file holding %o is %s", async (text, expected) => {
    expect((await readKeySource(await file("key", text), { env }))?.reveal()).toBe(expected);
  });

  it("is none for a server that asks for none", async () => {
    expect(await readKeySource({ from: "none" }, { env })).toBeNull();
  });

  it("is read anew each time", async () => {
    const source = await file("rotating", "key-one");
    expect((await readKeySource(source, { env }))?.reveal()).toBe("key-one");
    await file("rotating", "key-two");
    expect((await readKeySource(source, { env }))?.reveal()).toBe("key-two");
  });
});

describe("a source without a key", () => {
  it.each<[KeySource, RegExp]>([
    [{ from: "env", name: "NO_SUCH" }, /variable NO_SUCH is not set/],
    [{ from: "env", name: "BLANK" }, /variable BLANK gives nothing/],
    [{ from: "env", name: "DUMMY" }, /variable DUMMY .* can't be a key/],
    [{ from: "env", name: "TWO" }, /variable TWO .* can't be a key/],
    [{ from: "file", path: "/no/such/key" }, /file \/no\/such\/key can't be read \(ENOENT\)/],
    [{ from: "file", path: "~/no/such/understudy-key" }, /file ~\/no\/such\/understudy-key can't be read \(ENOENT\)/],
    [command("true"), /command `true` gives nothing/],
    [command("exit 3"), /command `exit …` failed \(exit 3\)/],
    [command("understudy-no-such-program"), /failed \(exit 127\)/],
  ])("%o is named with its fault", async (source, message) => {
    await expect(readKeySource(source, { env })).rejects.toMatchObject({
      code: "credential_unknown",
      message: expect.stringMatching(message) as string,
    });
  });

  it("is a command of which only the first word is named: the rest may hold a secret", async () => {
    const error = await Promise.resolve(readKeySource(command("false --token sk-vault-0123456789"), { env })).catch(
      String,
    );
    expect(error).toContain("`false …`");
    expect(error).not.toContain("sk-vault");
  });

  it("is an empty file, named by its path", async () => {
    await expect(readKeySource(await file("empty", "\n"), { env })).rejects.toThrow(/file .*empty gives nothing/);
  });

  it("never shows what it held or printed", async () => {
    const failing = command("echo sk-s3cret$((1+1)); echo sk-s3cret$((1+1)) >&2; exit 1");
    const sources = [failing, await file("spaced", "sk-s3cret2 and more"), command("echo sk-s3cret$((1+1)) x")];
    for (const source of sources) {
      const error: unknown = await Promise.resolve(readKeySource(source, { env })).catch((fault: unknown) => fault);
      expect(error).toMatchObject({ code: "credential_unknown" });
      expect(`${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain("sk-s3cret2");
    }
  });
});

describe("a command", () => {
  it("that takes too long is ended, with all that it started kept from holding up the answer", async () => {
    const slow = readKeySource(command("sleep 30; echo sk-late"), { env, commandTimeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ message: expect.stringContaining("longer than 50 ms") as string });
  });

  it("that waits for an answer gets none", async () => {
    await expect(readKeySource(command("cat"), { env })).rejects.toThrow(/gives nothing/);
  });

  it("that never stops printing is ended", async () => {
    await expect(readKeySource(command("yes"), { env })).rejects.toMatchObject({ code: "credential_unknown" });
  });

  it("is ended when the caller gives up, with the caller's reason", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(readKeySource(command("sleep 30"), { env, signal })).rejects.toBe(reason);
  });
});
