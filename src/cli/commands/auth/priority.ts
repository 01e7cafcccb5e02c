import type { Command } from "commander";
import { strategyFor } from "../../../config/resolve.ts";
import { UnderstudyError } from "../../../core/error.ts";
import { requireStored } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { colors, say } from "../../output.ts";

const examples = `
The order counts for the strategy fill_first, and settles ties of the others. Keys of the environment come after all stored ones.

Examples:
  $ understudy auth priority codex work first
  $ understudy auth priority openai 3 1
`;

export function priorityCommand(command: Command): void {
  command
    .argument("<provider>", "id or alias of a provider")
    .argument("<credential>", "id, label or number")
    .argument("<place>", "first, last, or a number from 1")
    .addHelpText("after", examples)
    .action((name: string, target: string, place: string) =>
      withWorkspace(async (workspace) => {
        const pool = await requirePool(workspace, name);
        const moved = requireStored(pool, target, "moved");
        const others = (await workspace.store.listCredentials(pool.providerId)).filter(({ id }) => id !== moved.id);
        const at = readPlace(place, others.length + 1) - 1;
        const order = [...others.slice(0, at), moved, ...others.slice(at)];
        for (const [priority, { id, priority: before }] of order.entries()) {
          if (priority !== before) await workspace.store.updateCredential(id, { priority });
        }
        say(`${colors.bold(`${moved.provider} · ${moved.label}`)} is number ${at + 1} of its pool now.`);
        const strategy = strategyFor(workspace.config, pool.providerId);
        if (strategy !== "fill_first") say(`The pool chooses by ${strategy}: the order only settles ties.`);
      }),
    );
}

function readPlace(text: string, most: number): number {
  if (text === "first") return 1;
  if (text === "last") return most;
  const place = Number(text);
  if (/^\d+$/.test(text) && place >= 1 && place <= most) return place;
  throw new UnderstudyError("usage", `the place must be first, last, or a number from 1 to ${most}`);
}
