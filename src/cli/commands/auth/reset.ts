import type { Command } from "commander";
import { UnderstudyError } from "../../../core/error.ts";
import { type Credential, needsRelogin } from "../../../credentials/credential.ts";
import { signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { requireCredential } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { say } from "../../output.ts";

const examples = `
A login that has to sign in again is not helped by this: only "understudy auth add" does that.

Examples:
  $ understudy auth reset                 all of them
  $ understudy auth reset codex           one pool
  $ understudy auth reset codex work      one login
`;

export function resetCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider; default: all")
    .argument("[credential]", "id, label or number; default: all of the provider")
    .addHelpText("after", examples)
    .action((name: string | undefined, target: string | undefined) =>
      withWorkspace(async (workspace) => {
        const { store, clock } = workspace;
        const pool = name === undefined ? null : await requirePool(workspace, name);
        const members = pool?.credentials ?? (await store.listCredentials());
        const one = pool === null || target === undefined ? null : requireCredential(pool, target);
        const filter = {
          ...(pool === null ? {} : { provider: pool.providerId }),
          ...(one === null ? {} : { credentialId: one.id }),
        };
        const now = clock.now();
        const standing = (await store.listCooldowns(pool?.providerId)).filter(
          ({ until, credentialId }) => until > now && (one === null || credentialId === one.id),
        );
        await store.clearCooldowns(filter);
        const concerned = one === null ? members : [one];
        const resumed = await unpause(workspace, concerned);
        say(`Ended ${count(standing.length, "rest")} and ${count(resumed, "pause")}.`);
        for (const credential of concerned) {
          if (!needsRelogin(credential)) continue;
          const { provider, label } = credential;
          say(`${provider} · ${label} still has to sign in again: ${signInCommand(provider, credential)}`);
        }
      }),
    );
}

async function unpause({ store }: Workspace, credentials: readonly Credential[]): Promise<number> {
  const paused = credentials.filter((credential) => credential.paused);
  for (const { id, label, provider } of paused) {
    if ((await store.updateCredential(id, { paused: false })) === null) {
      throw new UnderstudyError("credential_unknown", `${provider} · ${label} was removed meanwhile`);
    }
  }
  return paused.length;
}

function count(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}
