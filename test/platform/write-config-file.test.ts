import { spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { writeConfigFile } from "../../src/platform/write-config-file.ts";

/** A process that may write files of 4 KiB: what is longer is cut short, as on a full disk. */
function writeWithLittleRoom(path: string, length: number): string {
  const module = resolve("src/platform/write-config-file.ts");
  const code = `const { writeConfigFile } = await import(${JSON.stringify(module)});
    try { writeConfigFile(${JSON.stringify(path)}, "#".repeat(${length})); console.log("written"); }
    catch (error) { console.log(error.code, error.message); }`;
  const script = 'trap "" XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1"';
  // The limit would hold for the compile cache as well.
  const env = { PATH: process.env["PATH"], NODE_DISABLE_COMPILE_CACHE: "1" };
  return spawnSync("/bin/sh", ["-c", script, process.execPath, code], { env, encoding: "utf8" }).stdout;
}

describe.skipIf(process.platform === "win32")("a configuration that there is no room for", () => {
  it("is not written in part: the old one stands", () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-full-"));
    try {
      const path = join(folder, "config.yaml");
      writeFileSync(path, "routes: {}\n");
      expect(writeWithLittleRoom(path, 9_000)).toContain("config_invalid");
      expect(readFileSync(path, "utf8")).toBe("routes: {}\n");
      expect(readdirSync(folder)).toEqual(["config.yaml"]);
      expect(writeWithLittleRoom(path, 3_000)).toBe("written\n");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe.skipIf(process.platform === "win32")("a configuration that is a link", () => {
  it("stays one, and what it leads to is made when it is not there yet", () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-link-"));
    try {
      const path = join(folder, "config.yaml");
      mkdirSync(join(folder, "dotfiles"));
      symlinkSync("dotfiles/first.yaml", path);
      symlinkSync("second.yaml", join(folder, "dotfiles/first.yaml"));
      writeConfigFile(path, "routes: {}\n");
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(lstatSync(join(folder, "dotfiles/first.yaml")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(folder, "dotfiles/second.yaml"), "utf8")).toBe("routes: {}\n");

      // A disk that is not mounted: nothing is made in its place.
      rmSync(join(folder, "dotfiles"), { recursive: true });
      expect(() => writeConfigFile(path, "routes: {}\n")).toThrow(/it is a link, and the folder it leads to/);
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(readdirSync(folder)).toEqual(["config.yaml"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
