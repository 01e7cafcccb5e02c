import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import type { Command } from "commander";
import { resolveRoute } from "../../config/resolve-route.ts";
import { UnderstudyError } from "../../core/error.ts";
import type { ProtocolName, Route } from "../../core/target.ts";
import { clientKeyFile, readOrCreateClientKey } from "../../gateway/client-key.ts";
import { type ClientName, clientNames, clientSettings, type ClientSettings } from "../../gateway/client-settings.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { createGatewayNotices } from "../../gateway/gateway-notices.ts";
import { defaultPort } from "../../gateway/options.ts";
import { findRunning } from "../../gateway/running.ts";
import { findProvider } from "../../providers/registry.ts";
import type { Workspace } from "../../workspace.ts";
import { withWorkspace, withWorkspaceToRead } from "../open-workspace.ts";
import { colors, printLines, say } from "../output.ts";
import { isTerminal } from "../../platform/is-terminal.ts";

interface RunOptions {
  readonly route?: string;
  readonly print?: boolean;
}

const examples = `
The client's own configuration files are neither read nor changed. Uses the gateway that "understudy serve" runs, if there is
one; else starts one that lives as long as the client. What stands behind the client's name goes to the client as it is.

Examples:
  $ understudy run codex
  $ understudy run claude -p "Say hello"
  $ understudy run --route coding opencode
  $ understudy run --print codex               what to put where, to set it up by hand
`;

export function runCommand(command: Command): void {
  command
    .argument("<client>", clientNames.join(", "))
    .argument("[args...]", "for the client")
    .option("-r, --route <route>", "what the client calls its model; default: the default route")
    .option("--print", "print the settings instead of starting the client")
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText("after", examples)
    .action(async (client: string, args: string[], options: RunOptions) => {
      if (!isClient(client)) {
        throw new UnderstudyError(
          "usage",
          `run starts ${clientNames.join(", ")}, not ${JSON.stringify(client.slice(0, 60))}`,
        );
      }
      if (options.print === true) return withWorkspaceToRead((workspace) => printSettings(workspace, client, options));
      const code = await withWorkspace((workspace) => runClient(workspace, client, args, options));
      process.exit(code);
    });
}

async function printSettings(workspace: Workspace, client: ClientName, options: RunOptions): Promise<void> {
  const url = (await findRunning(workspace.home)) ?? `http://127.0.0.1:${defaultPort}`;
  printLines(...settingsFor(workspace, client, options, url, "").written);
}

async function runClient(
  workspace: Workspace,
  client: ClientName,
  args: readonly string[],
  options: RunOptions,
): Promise<number> {
  const running = await findRunning(workspace.home);
  if (running !== null) {
    const key = readOrCreateClientKey(clientKeyFile(workspace.home));
    return start(settingsFor(workspace, client, options, running, key), args);
  }
  // On a terminal the client draws its own screen, and a line of ours would tear it: `understudy why` tells all afterwards.
  const tell = (line: string): void => {
    if (!isTerminal(2)) say(colors.dim(line));
  };
  const clientKey = `uk-${randomBytes(32).toString("base64url")}`;
  const onEvent = createGatewayNotices(tell);
  const gateway = await createGateway({ workspace, clientKey, port: 0, watchConfig: true, onNotice: tell, onEvent });
  try {
    return await start(settingsFor(workspace, client, options, gateway.url, clientKey), args);
  } finally {
    await gateway.close();
  }
}

function settingsFor(
  { config }: Workspace,
  client: ClientName,
  options: RunOptions,
  url: string,
  clientKey: string,
): ClientSettings {
  const route = resolveRoute(config, options.route);
  return clientSettings(client, { url, clientKey, model: route.name, dialect: dialectOf(route) });

  function dialectOf({ targets }: Route): ProtocolName {
    return findProvider(config.providers, targets[0]?.provider ?? "")?.protocol ?? "chat-completions";
  }
}

/** Starts the client in our place: its terminal, its signals, its exit code. */
function start({ program, install, args, env, unset }: ClientSettings, own: readonly string[]): Promise<number> {
  const environment: Record<string, string | undefined> = { ...process.env, ...env };
  for (const name of unset) delete environment[name];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, ...own], { stdio: "inherit", env: environment });
    // Ctrl-C reaches the client by itself, as part of the same terminal; what it means there is its own affair.
    process.removeAllListeners("SIGINT").on("SIGINT", () => {});
    for (const name of ["SIGTERM", "SIGHUP"] as const) {
      process.removeAllListeners(name).on(name, () => child.kill(name));
    }
    child.on("error", (error: NodeJS.ErrnoException) => {
      const message =
        error.code === "ENOENT"
          ? `${program} is not installed: ${install}`
          : `${program} can't be started (${error.code ?? ""})`;
      reject(new UnderstudyError("usage", message, {}, { cause: error }));
    });
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function isClient(name: string): name is ClientName {
  return (clientNames as readonly string[]).includes(name);
}
