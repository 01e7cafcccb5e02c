import type { Command } from "commander";
import { UnderstudyError } from "../../../core/error.ts";
import { checkLabel, looksLikeKey } from "../../../providers/label.ts";
import { keyAsArgument, requireProvider } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { addKey } from "./add-key.ts";
import { addLogin } from "./add-login.ts";
import type { AddOptions } from "./add-options.ts";

const examples = `
Providers that are signed in to: codex, and those of the configuration with oauth. All others take a key; "understudy auth list
--all" names them. Where a browser can open before your eyes, codex uses it; over SSH and without a display it shows a code, and
on a terminal that is large enough a QR code of the page to type it on.

Examples:
  $ understudy auth add codex                               sign in
  $ understudy auth add codex --device                      by a code that is typed on any machine
  $ understudy auth add codex --browser                     with a browser; its last address can be pasted
  $ understudy auth add codex --force-new-login             sign in again, without being asked
  $ understudy auth add anthropic                           asks for the key, hidden
  $ pass show openai | understudy auth add openai --api-key-stdin
  $ understudy auth add openai --from env:WORK_OPENAI_KEY   read anew each time, never stored
  $ understudy auth add openai --from "command:op read op://work/openai/key"
`;

export function addCommand(command: Command): void {
  command
    .argument("<provider>", "id or alias of a provider")
    // What stands behind the provider may be a key: refused below, in our words.
    .allowExcessArguments(true)
    .option("--label <name>", "what to call it; default: the account's e-mail address, or key-1, key-2, …")
    .option("--force-new-login", "sign in again without being asked, though a login is there")
    .option("--browser", "sign in with a browser; on a machine without one, paste the address it ends up at")
    .option("--device", "sign in with a code that is typed on any machine")
    .option("--no-browser", "open no browser")
    .option("--no-qr", "show no QR code beside a code to type")
    .option("--api-key-stdin", "read the key from the first line of standard input")
    .option("--from <source>", "read the key at each use from env:NAME, file:PATH or command:COMMAND")
    .addHelpText("after", examples)
    .action(async (name: string, options: AddOptions) => {
      const surplus = command.args.slice(1);
      if (looksLikeKey(name) || surplus.some(looksLikeKey)) throw keyAsArgument();
      if (surplus.length > 0) {
        throw new UnderstudyError(
          "usage",
          "auth add takes one provider; a label goes after --label, a key is asked for",
        );
      }
      if (options.label !== undefined) checkLabel(options.label);
      await withWorkspace(async (workspace) => {
        const provider = requireProvider(workspace.config.providers, name);
        await (provider.signIn.kind === "api_key" ? addKey : addLogin)(workspace, provider, options);
      });
    });
  for (const flag of ["--api-key", "--key", "--token"]) {
    // Known so that a key behind it is refused in our words and never repeated.
    command.addOption(
      command
        .createOption(`${flag} [value]`)
        .hideHelp()
        .argParser(() => {
          throw keyAsArgument();
        }),
    );
  }
}
