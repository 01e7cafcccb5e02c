import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import { createKeyFile, readOrCreateKeyFile } from "../../src/stores/key-file.ts";
import { parseKey } from "../../src/stores/seal.ts";
import { finish, linesOf, startProgram } from "./child.ts";
import { useFolder } from "./folder.ts";

const isUnavailable = (error: unknown): boolean => isUnderstudyError(error, "store_unavailable");

describe("readOrCreateKeyFile", () => {
  const folder = useFolder();

  it("makes a random key that only its owner can read, and reads it again", () => {
    const file = join(folder(), "deep", "er", "key");
    const key = readOrCreateKeyFile(file);
    expect(key).toHaveLength(32);
    expect(readOrCreateKeyFile(file)).toEqual(key);
    expect(readOrCreateKeyFile(join(folder(), "key"))).not.toEqual(key);
    expect(parseKey(readFileSync(file, "utf8"))).toEqual(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    expect(statSync(join(file, "..", "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(file, ".."))).toEqual(["key"]);
  });

  it("gives all processes that make a key file at once the same key", async () => {
    const place = folder();
    const files = Array.from({ length: 100 }, (_, n) => join(place, `key-${n}`));
    const children = Array.from({ length: 4 }, () => finish(startProgram("read-key", files)));
    const told = (await Promise.all(children)).map(linesOf);
    const stored = files.map((file) => Buffer.from(readOrCreateKeyFile(file)).toString("hex"));
    expect(told).toEqual(told.map(() => stored));
    expect(readdirSync(place)).toHaveLength(files.length);
  }, 60_000);

  it("keeps the key that another process made a moment earlier", () => {
    const file = join(folder(), "key");
    const key = readOrCreateKeyFile(file);
    createKeyFile(file);
    expect(readOrCreateKeyFile(file)).toEqual(key);
    expect(readdirSync(join(file, ".."))).toEqual(["key"]);
  });

  it("takes away what group and others may do with an existing key file, and leaves its folder as it is", () => {
    const file = join(folder(), "key");
    writeFileSync(file, "00".repeat(32));
    chmodSync(file, 0o644);
    chmodSync(join(file, ".."), 0o755);
    expect(readOrCreateKeyFile(file)).toEqual(Buffer.alloc(32));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o755);
  });

  it("makes no new key where a store already needs the old one", () => {
    const file = join(folder(), "key");
    expect(() => readOrCreateKeyFile(file, { create: false })).toThrow(/key file .*key is missing.*from a copy/);
    expect(readdirSync(join(file, ".."))).toEqual([]);
  });

  it.each([
    ["an empty file", ""],
    ["a cut key", "00".repeat(31)],
    ["something else", "-----BEGIN PRIVATE KEY-----"],
  ])("refuses %s and leaves it as it is", (_, content) => {
    const file = join(folder(), "key");
    writeFileSync(file, content);
    expect(() => readOrCreateKeyFile(file)).toThrow(/holds no key/);
    expect(readFileSync(file, "utf8")).toBe(content);
  });

  it("says what is in the way: a folder, a link to nothing, a file in the path", () => {
    const place = folder();
    mkdirSync(join(place, "folder"));
    symlinkSync(join(place, "nowhere"), join(place, "link"));
    writeFileSync(join(place, "file"), "");
    for (const [name, text] of [
      ["folder", /is a folder/],
      ["link", /link to a file that isn't there/],
      ["file/key", /part of the path is a file/],
    ] as const) {
      const reading = (): unknown => readOrCreateKeyFile(join(place, name));
      expect(reading).toThrow(text);
      expect(reading).toThrow(expect.toSatisfy(isUnavailable));
    }
  });
});
