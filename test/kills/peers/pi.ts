import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Peer } from "./peer.ts";

const driver = fileURLToPath(new URL("pi-use.mjs", import.meta.url));

/** The part of pi that keeps logins (`AuthStorage`, with its lock file), one use per process. `PI_FOLDER` says where it is installed. */
const folder = join(process.env["PI_FOLDER"] ?? "", "node_modules/@mariozechner/pi-coding-agent");

export const piPeer: Peer = {
  name: `pi ${versionOf(folder)}`,
  missing: existsSync(folder)
    ? null
    : "npm install --ignore-scripts @mariozechner/pi-coding-agent@0.73.1 in a folder that PI_FOLDER names",
  signIn(home, { accessToken, refreshToken, accountId }) {
    mkdirSync(home, { recursive: true });
    const login = { type: "oauth", access: accessToken, refresh: refreshToken, expires: Date.now() - 1, accountId };
    writeFileSync(join(home, "auth.json"), JSON.stringify({ "openai-codex": login }), { mode: 0o600 });
    return Promise.resolve();
  },
  start: (home, { token }) =>
    spawn(process.execPath, [driver, folder, join(home, "auth.json"), token], {
      env: { PATH: process.env["PATH"], HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: home,
      detached: true,
    }),
  kept(home) {
    const text = readFileSync(join(home, "auth.json"), "utf8");
    if (text === "") return Promise.resolve(null);
    const auth = JSON.parse(text) as { "openai-codex"?: { refresh?: string } };
    return Promise.resolve(auth["openai-codex"]?.refresh ?? null);
  },
};

function versionOf(path: string): string {
  const file = join(path, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : "";
}
