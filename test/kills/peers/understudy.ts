import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Secret } from "../../../src/core/secret.ts";
import type { OAuthCredential } from "../../../src/credentials/credential.ts";
import { openWorkspace, type Workspace } from "../../../src/workspace.ts";
import type { Peer } from "./peer.ts";

const program = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

async function withWorkspace<T>(folder: string, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = await openWorkspace({ env: { UNDERSTUDY_HOME: folder } });
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
  }
}

async function loginIn({ store }: Workspace): Promise<OAuthCredential | null> {
  const [login] = await store.listCredentials("codex");
  return login?.kind === "oauth" ? login : null;
}

/** This package's own command line, one turn per process, with one home for all of them. */
export const understudyPeer: Peer = {
  name: "Understudy",
  missing: null,
  signIn(folder, { accessToken, refreshToken, idToken, accountId }, { issuer, codex }) {
    mkdirSync(folder, { recursive: true });
    const config = { routes: { only: ["codex/gpt-5.5"] }, providers: { codex: { baseUrl: codex, issuer } } };
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
    return withWorkspace(folder, async ({ store }) => {
      const [access, refresh, id] = [new Secret(accessToken), new Secret(refreshToken), new Secret(idToken)];
      const times = { expiresAt: Date.now() - 1, obtainedAt: Date.now() - 3_600_000 };
      await store.saveLogin({
        provider: "codex",
        label: "ada",
        account: { id: accountId, userId: null, email: null, plan: null },
        grant: { accessToken: access, refreshToken: refresh, idToken: id, ...times, issuer },
        at: Date.now(),
      });
    });
  },
  start: (folder) =>
    spawn(process.execPath, [program, "ask", "hello"], {
      env: { PATH: process.env["PATH"], HOME: folder, UNDERSTUDY_HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      detached: true,
    }),
  kept: (folder) =>
    withWorkspace(folder, async (workspace) => {
      const login = await loginIn(workspace);
      return login?.grant.refreshToken?.reveal() ?? null;
    }),
};
