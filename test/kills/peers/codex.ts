import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Peer } from "./peer.ts";

const program = fileURLToPath(new URL("../../clients/node_modules/.bin/codex", import.meta.url));

/** The Codex CLI as it is published, one turn per process, with one `CODEX_HOME` for all of them. */
export const codexPeer: Peer = {
  name: "Codex CLI 0.169.0",
  missing: existsSync(program) ? null : "npm ci --prefix test/clients installs it",
  signIn(folder, { accessToken, refreshToken, idToken, accountId }) {
    mkdirSync(folder, { recursive: true });
    const tokens = { id_token: idToken, access_token: accessToken, refresh_token: refreshToken, account_id: accountId };
    const last = new Date(Date.now() - 3_600_000).toISOString();
    const auth = { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: last };
    writeFileSync(join(folder, "auth.json"), JSON.stringify(auth), { mode: 0o600 });
    return Promise.resolve();
  },
  start(folder, { token, codex }) {
    const provider = `{name="here",base_url="${codex}",wire_api="responses",requires_openai_auth=true,request_max_retries=1,stream_max_retries=1}`;
    const settings = [
      'cli_auth_credentials_store="file"',
      'model_provider="here"',
      `model_providers.here=${provider}`,
      `chatgpt_base_url="${codex}"`,
      "features.apps=false",
      "features.plugins=false",
    ];
    const flags = ["exec", "--skip-git-repo-check", "--ephemeral", "--ignore-user-config"];
    return spawn(program, [...settings.flatMap((one) => ["-c", one]), ...flags, "hello"], {
      env: { PATH: process.env["PATH"], HOME: folder, CODEX_HOME: folder, CODEX_REFRESH_TOKEN_URL_OVERRIDE: token },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      // With its own children, for it is a script that starts a binary: both are killed together.
      detached: true,
    });
  },
  kept(folder) {
    const auth = JSON.parse(readFileSync(join(folder, "auth.json"), "utf8")) as { tokens?: { refresh_token?: string } };
    return Promise.resolve(auth.tokens?.refresh_token ?? null);
  },
};
