import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfigFile, understudyHome } from "../../src/platform/home.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-home-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("the home", () => {
  it("is one folder for everything when UNDERSTUDY_HOME names it", () => {
    expect(understudyHome({ UNDERSTUDY_HOME: "/srv/understudy" })).toEqual({
      dataDir: resolve("/srv/understudy"),
      configDir: resolve("/srv/understudy"),
      configFile: resolve("/srv/understudy/config.yaml"),
      storeFile: resolve("/srv/understudy/understudy.db"),
      keyFile: resolve("/srv/understudy/understudy.key"),
    });
  });

  it("is absolute also for a relative UNDERSTUDY_HOME", () => {
    expect(understudyHome({ UNDERSTUDY_HOME: "here" }).configFile).toBe(resolve("here", "config.yaml"));
  });

  it.each([undefined, "", "  "])("is the platform's own when UNDERSTUDY_HOME is %o", (value) => {
    const home = understudyHome({ UNDERSTUDY_HOME: value });
    expect(home.configFile.startsWith(homedir()) || process.env["XDG_CONFIG_HOME"] !== undefined).toBe(true);
    expect(home.configFile).toMatch(/understudy.*config\.yaml$/);
    expect(home.storeFile).toMatch(/understudy.*understudy\.db$/);
  });

  it.runIf(process.platform === "linux")("follows the XDG folders of the process on Linux", () => {
    vi.stubEnv("XDG_CONFIG_HOME", join(folder, "config"));
    vi.stubEnv("XDG_DATA_HOME", join(folder, "data"));
    const home = understudyHome({});
    expect(home.configFile).toBe(join(folder, "config", "understudy", "config.yaml"));
    expect(home.storeFile).toBe(join(folder, "data", "understudy", "understudy.db"));
    expect(home.keyFile).toBe(join(folder, "data", "understudy", "understudy.key"));
  });
});

describe("reading the configuration file", () => {
  it("gives its text", async () => {
    await writeFile(join(folder, "config.yaml"), "routes: {}\n");
    expect(await readConfigFile(join(folder, "config.yaml"))).toBe("routes: {}\n");
  });

  it("gives nothing when there is no file or no folder", async () => {
    expect(await readConfigFile(join(folder, "config.yaml"))).toBe("");
    expect(await readConfigFile(join(folder, "no", "config.yaml"))).toBe("");
  });

  it("says which file can't be read, and why", async () => {
    await mkdir(join(folder, "config.yaml"));
    await expect(readConfigFile(join(folder, "config.yaml"))).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/config\.yaml.*EISDIR/) as string,
    });
  });

  it.runIf(process.getuid?.() !== 0)("does not take a file it may not read for a missing one", async () => {
    await writeFile(join(folder, "config.yaml"), "routes: {}");
    await chmod(join(folder, "config.yaml"), 0);
    await expect(readConfigFile(join(folder, "config.yaml"))).rejects.toMatchObject({ code: "config_invalid" });
  });

  it("refuses what is not text", async () => {
    await writeFile(join(folder, "config.yaml"), Uint8Array.of(0x72, 0xff, 0xfe));
    await expect(readConfigFile(join(folder, "config.yaml"))).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining("UTF-8") as string,
    });
  });
});
