import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import { UnderstudyError } from "../../core/error.ts";
import { clientKeyFile, readOrCreateClientKey } from "../../gateway/client-key.ts";
import { createGateway } from "../../gateway/gateway.ts";
import { createGatewayNotices } from "../../gateway/gateway-notices.ts";
import { defaultHost, defaultPort, isLoopback } from "../../gateway/options.ts";
import { adminKeyFile, readOrCreateAdminKey } from "../../gateway/page/admin-key.ts";
import { readState } from "../../gateway/page/read-state.ts";
import { noteRunning } from "../../gateway/running.ts";
import { keepHeapModest } from "../../platform/modest-heap.ts";
import { optimizeEarly } from "../../platform/optimize-early.ts";
import { readPackageVersion } from "../../platform/package-version.ts";
import { isTracerRegistered } from "../../telemetry/load-tracing.ts";
import { startTraceExport } from "../../telemetry/otlp.ts";
import type { Workspace } from "../../workspace.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptSignal } from "../interrupt.ts";
import { findHome } from "../load-config.ts";
import { withWorkspace } from "../open-workspace.ts";
import { colors, printLines, say } from "../output.ts";
import { serveByWorkers } from "../serve-by-workers.ts";
import { askForMetrics, giveMetrics, passMetricsOn } from "../worker-metrics.ts";
import { writeText } from "../standard-streams.ts";

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly expose?: boolean;
  readonly sharePort?: boolean;
  readonly allowHost?: string[];
  readonly workers: number;
  readonly json?: boolean;
  readonly printKey?: boolean;
  readonly printAdminKey?: boolean;
}

const examples = `
The first two lines say what a client needs, the third where to look at it all in a browser. Every switch is one line on standard error. A change of the configuration counts at
once; so do sign-ins and keys. SIGTERM or Ctrl-C lets the turns under way finish, a second one doesn't.

Examples:
  $ understudy serve
  $ export OPENAI_BASE_URL=http://127.0.0.1:4141/v1 OPENAI_API_KEY="$(understudy serve --print-key)"
  $ understudy serve --port 0 --json | head -1 | jq -r .url
`;

export function serveCommand(command: Command): void {
  command
    .option("-p, --port <port>", "port; 0 takes a free one", wholeNumber(0, 65_535), defaultPort)
    .option("--host <address>", "address to listen on", defaultHost)
    .option("--expose", "accept an address that other machines can reach; traffic is plain http")
    .option("--share-port", "let a newer serve listen on the same port: an upgrade without a pause")
    .option("--allow-host <name...>", "host names that clients may use besides localhost and addresses")
    .option("--workers <n>", "processes that share the port", wholeNumber(1, Math.max(64, availableParallelism())), 1)
    .option("--json", "one JSON object per line: where it listens, then every event of every turn")
    .option("--print-key", "print the key that clients present, and stop")
    .option("--print-admin-key", "print the key that the status page asks for, and stop")
    .addHelpText("after", examples)
    .action(async (options: ServeOptions) => {
      if (options.printKey === true) return printLines(readOrCreateClientKey(clientKeyFile(findHome())));
      if (options.printAdminKey === true) return printLines(readOrCreateAdminKey(adminKeyFile(findHome())));
      if (options.workers > 1 && options.sharePort === true) {
        throw new UnderstudyError("usage", "--share-port is for a gateway of one process: leave --workers out");
      }
      if (options.workers > 1 && cluster.isPrimary) {
        passMetricsOn();
        const announced = (url: string): void => announce(url, options.json === true);
        process.exit(await serveByWorkers(options.workers, findHome(), announced));
      }
      await withWorkspace((workspace) => serve(workspace, options));
      // An interrupt is how a server ends: that is no failure.
      process.exit(exitCodes.done);
    });
}

async function serve(workspace: Workspace, options: ServeOptions): Promise<void> {
  // A diagnostic report, which whoever starts Node may ask for, would hold the keys in the environment.
  process.report.excludeEnv = true;
  keepHeapModest();
  // From here on: one that is told to stop while it starts must not have overheard it.
  const stopped = stopAsked();
  const { home, secrets } = workspace;
  const clientKey = readOrCreateClientKey(clientKeyFile(home));
  const adminKey = readOrCreateAdminKey(adminKeyFile(home));
  for (const key of [clientKey, adminKey]) secrets.note(key);
  const notice = (line: string): void => say(colors.dim(secrets.scrub(line)));
  const tell = createGatewayNotices(notice);
  const traces = await startTraceExport(process.env, readPackageVersion(), notice);
  const gateway = await createGateway({
    workspace,
    clientKey,
    adminKey,
    host: options.host,
    port: options.port,
    sharePort: options.sharePort === true,
    exposeToOtherMachines: options.expose === true,
    allowedHosts: options.allowHost ?? [],
    watchConfig: true,
    spans: isTracerRegistered(),
    ...(cluster.isWorker ? { metricsOfOthers: askForMetrics } : {}),
    onNotice: notice,
    onEvent(event) {
      if (options.json === true) writeText(1, `${secrets.scrub(JSON.stringify(event))}\n`);
      tell(event);
    },
  });
  optimizeEarly();
  if (cluster.isWorker) giveMetrics(() => gateway.metrics());
  // Of several workers the first speaks for all.
  if (cluster.isPrimary || cluster.worker?.id === 1) await tellWhatIsMissing(workspace, gateway.url);
  const forget = cluster.isPrimary ? noteRunning(home, localUrl(gateway.url, gateway.port)) : () => {};
  if (cluster.isPrimary) announce(gateway.url, options.json === true);
  try {
    await stopped;
    if (gateway.openTurns > 0) say(`waiting for ${gateway.openTurns} turns under way; once more leaves at once`);
    await gateway.close();
    await traces?.stop();
  } finally {
    forget();
  }
}

async function tellWhatIsMissing(workspace: Workspace, url: string): Promise<void> {
  const { home, config } = workspace;
  if ((await readState(workspace)).pools.length === 0) {
    say(`No account is there yet: ${url}/ leads to the first sign-in, and so does understudy auth add codex`);
  }
  if (config.routes.length === 0) say(`No route is configured yet; put one into ${home.configFile}`);
}

/** Resolves at the first interrupt, or when the first process of several says so. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    interruptSignal.addEventListener("abort", () => resolve(), { once: true });
    if (interruptSignal.aborted) resolve();
    process.on("message", (message) => {
      if (message === "stop") resolve();
    });
  });
}

function announce(url: string, json: boolean): void {
  const keyFile = clientKeyFile(findHome());
  if (json) {
    writeText(1, `${JSON.stringify({ type: "listening", url, baseUrl: `${url}/v1`, keyFile })}\n`);
    return;
  }
  printLines(
    `base URL  ${url}/v1  (Anthropic clients: ${url})`,
    `key       in ${keyFile}  (understudy serve --print-key shows it)`,
    `page      ${url}/  (understudy serve --print-admin-key shows its key)`,
  );
}

/** How this machine itself reaches it. */
function localUrl(url: string, port: number): string {
  return isLoopback(new URL(url).hostname) ? url : `http://127.0.0.1:${port}`;
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
