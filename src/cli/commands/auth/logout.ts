import type { Command } from "commander";
import { UnderstudyError } from "../../../core/error.ts";
import { type Credential, type OAuthCredential } from "../../../credentials/credential.ts";
import { revokeGrant } from "../../../providers/revoke-grant.ts";
import type { Workspace } from "../../../workspace.ts";
import { findCredential } from "../../find-credential.ts";
import { type Pool, requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { colors, say } from "../../output.ts";

const examples = `
Ends the logins at their provider and forgets them here; keys stay ("understudy auth remove" takes them). Where nobody is signed in
there is nothing to do, and that is no failure.

Examples:
  $ understudy auth logout codex            every login of codex
  $ understudy auth logout codex work       one of them
  $ understudy auth logout --all            every login of every provider
`;

export function logoutCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider; default: the only one that is signed in to")
    .argument("[credential]", "id, label or number; default: every login of the provider")
    .option("--all", "every login of every provider")
    .addHelpText("after", examples)
    .action((name: string | undefined, target: string | undefined, options: { all?: boolean }) =>
      withWorkspace(async (workspace) => {
        const logins = await chooseLogins(workspace, name, target, options.all === true);
        if (logins.length === 0) {
          say(
            `Nobody${target === undefined ? "" : " of that name"} is signed in${name === undefined ? "" : ` to ${name}`}: nothing had to be done.`,
          );
        }
        for (const login of logins) await logOut(workspace, login);
      }),
    );
}

async function chooseLogins(
  workspace: Workspace,
  name: string | undefined,
  target: string | undefined,
  all: boolean,
): Promise<OAuthCredential[]> {
  if (name !== undefined) {
    const pool = await requirePool(workspace, name);
    if (target !== undefined) return chooseOne(pool, target);
    return pool.credentials.filter(isLogin);
  }
  const logins = (await workspace.store.listCredentials()).filter(isLogin);
  const providers = [...new Set(logins.map(({ provider }) => provider))];
  if (providers.length > 1 && !all) {
    throw new UnderstudyError("usage", `say whose logins: ${providers.join(", ")}, or --all`);
  }
  return logins;
}

function chooseOne(pool: Pool, target: string): OAuthCredential[] {
  const found = findCredential(pool, target);
  if (found === null) return [];
  if (isLogin(found)) return [found];
  throw new UnderstudyError("usage", `${found.provider} · ${found.label} is a key, not a login`, {
    command: `understudy auth remove ${found.provider} ${found.id}`,
  });
}

/** First forgotten here, so that no turn of any process begins with a token that is being ended. */
async function logOut({ store, transport, clock, runtime }: Workspace, login: OAuthCredential): Promise<void> {
  await store.removeCredential(login.id);
  const provider = runtime.findProvider(login.provider);
  const told = provider !== null && (await revokeGrant({ transport, clock, provider }, login.grant));
  const ending = told
    ? "the provider has ended the login"
    : "the provider could not be told, the login ends there by itself";
  say(`Signed out of ${colors.bold(`${login.provider} · ${login.label}`)}; ${ending}.`);
}

function isLogin(credential: Credential): credential is OAuthCredential {
  return credential.kind === "oauth";
}
