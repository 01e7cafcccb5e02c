import type { Command } from "commander";
import { revokeGrant } from "../../../providers/revoke-grant.ts";
import { UnderstudyError } from "../../../core/error.ts";
import { requireStored, whatThereIs } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { colors, say } from "../../output.ts";

const examples = `
Examples:
  $ understudy auth remove codex work            by label
  $ understudy auth remove openai 2              by its number in "understudy auth list openai"
`;

export function removeCommand(command: Command): void {
  command
    .argument("<provider>", "id or alias of a provider")
    .argument("[credential]", "id, label or number")
    .addHelpText("after", examples)
    .action((name: string, target: string | undefined) =>
      withWorkspace(async (workspace) => {
        const pool = await requirePool(workspace, name);
        if (target === undefined) {
          throw new UnderstudyError("usage", `say which credential of ${pool.providerId}: ${whatThereIs(pool)}`);
        }
        const credential = requireStored(pool, target, "removed");
        // First forgotten here, so that no turn of any process begins with a token that is being ended.
        await workspace.store.removeCredential(credential.id);
        say(`Removed ${colors.bold(`${credential.provider} · ${credential.label}`)}.`);
        if (credential.kind !== "oauth" || pool.provider === null) return;
        const { transport, clock } = workspace;
        const told = await revokeGrant({ transport, clock, provider: pool.provider }, credential.grant);
        say(
          told
            ? "The provider has ended the login."
            : "The provider could not be told: the login ends there by itself.",
        );
      }),
    );
}
