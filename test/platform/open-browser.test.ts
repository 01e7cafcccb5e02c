import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "../../src/platform/open-browser.ts";

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "understudy-bin-"));
});
afterEach(() => rmSync(bin, { recursive: true, force: true }));

/** A program that writes down what it was called with. */
function install(name: string): () => Promise<string> {
  const log = join(bin, `${name}.log`);
  writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s|' "$@" > "${log}.new" && mv "${log}.new" "${log}"\n`);
  chmodSync(join(bin, name), 0o755);
  return async () => {
    while (!existsSync(log)) await new Promise((resolve) => setImmediate(resolve));
    return readFileSync(log, "utf8");
  };
}

const url = "https://login.example/authorize?a=1&b=$(touch x)&c='d'";
const env = () => ({ PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` });

describe("opening a browser", () => {
  it.each<[NodeJS.Platform, Record<string, string>, string, string]>([
    ["linux", {}, "xdg-open", `${url}|`],
    ["linux", { WSL_DISTRO_NAME: "Ubuntu" }, "wslview", `${url}|`],
    ["darwin", {}, "open", `${url}|`],
    ["win32", {}, "rundll32", `url.dll,FileProtocolHandler|${url}|`],
  ])("on %s with %o calls %s with the address as one word", async (platform, more, program, args) => {
    const read = install(program);
    expect(await openBrowser(url, { platform, env: { ...env(), ...more } })).toBe(true);
    expect(await read()).toBe(args);
  });

  it("fails quietly where there is no such program, and opens nothing but web addresses", async () => {
    expect(await openBrowser(url, { platform: "linux", env: { PATH: bin } })).toBe(false);
    install("xdg-open");
    expect(await openBrowser("file:///etc/passwd", { platform: "linux", env: env() })).toBe(false);
  });
});

describe("where a browser can open", () => {
  it.each<[NodeJS.Platform, Record<string, string>, string | null]>([
    ["linux", { DISPLAY: ":0" }, null],
    ["linux", { WAYLAND_DISPLAY: "wayland-0" }, null],
    ["linux", {}, "there is no display"],
    ["linux", { DISPLAY: "" }, "there is no display"],
    ["linux", { WSL_DISTRO_NAME: "Ubuntu" }, null],
    ["linux", { DISPLAY: "localhost:10.0", SSH_CONNECTION: "1 2 3 4" }, "this is an SSH session"],
    ["darwin", {}, null],
    ["darwin", { SSH_TTY: "/dev/ttys001" }, "this is an SSH session"],
    ["win32", {}, null],
    ["darwin", { CI: "true" }, "this is a build"],
  ])("%s with %o: %s", (platform, machineEnv, reason) => {
    expect(whyNoBrowser({ platform, env: machineEnv })).toBe(reason);
  });
});
