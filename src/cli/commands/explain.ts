import type { Command } from "commander";
import type { ResolvedConfig } from "../../config/resolve.ts";
import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";
import { builtInProviders } from "../../providers/registry.ts";
import type { Provider } from "../../providers/provider.ts";
import { type ProtocolName, protocolNames } from "../../core/target.ts";
import { classifyFailure } from "../../failures/classify.ts";
import { failureTable } from "../../failures/table.ts";
import { describeFailure, describeRow, describeTime, signInCommand } from "../../turn/advice.ts";
import type { Failure, Next, Scope } from "../../core/failure.ts";
import { readEvidence } from "../read-evidence.ts";
import { requireProvider } from "../find-provider.ts";
import { findHome, loadResolvedConfig } from "../load-config.ts";
import { alignColumns, dataColors, isoTime, printJson, printLines, say } from "../output.ts";
import { isStdinTerminal, readStdin } from "../read-stdin.ts";

interface ExplainOptions {
  readonly provider?: string;
  readonly protocol?: ProtocolName;
  readonly status?: number;
  readonly header?: readonly string[];
  readonly event?: string;
  readonly json?: boolean;
}

const examples = `
Reads an error body, one event of a stream, or a whole stream. Calls nobody. Rows of your own (failures: in the
configuration) count.

Examples:
  $ echo '{"error":{"code":"refresh_token_reused"}}' | understudy explain --provider codex --status 401
  $ curl -s … | understudy explain --protocol messages --status 529 --header "retry-after: 20"
  $ echo '{"type":"error","error":{"type":"overloaded_error"}}' | understudy explain --protocol messages --event error

With --json: { reason, scope, next, retryAt, reloginRequired, row, message }, or null for what is no failure.
`;

export function explainCommand(command: Command): void {
  command
    .option("--provider <id>", "whose error it is")
    .addOption(
      command
        .createOption("--protocol <name>", "what it speaks; default: what the provider speaks")
        .choices(protocolNames),
    )
    .option("--status <number>", "HTTP status; leave it out for what came inside a stream", parseStatus)
    .option("--header <line>", 'a header of the answer, "name: value"; may be given again', collect)
    .option("--event <name>", "name of the stream event that carried it")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action(explain);
}

async function explain(options: ExplainOptions): Promise<void> {
  const headers = parseHeaders(options.header ?? []);
  const config = await readConfig();
  const provider = options.provider === undefined ? null : requireProvider(config.providers, options.provider);
  if (isStdinTerminal()) say("Paste the error, then press Ctrl-D:");
  const text = await readStdin();
  const evidence = readEvidence({
    text,
    headers,
    ...(options.status === undefined ? {} : { status: options.status }),
    ...(options.event === undefined ? {} : { event: options.event }),
    protocol: options.protocol ?? provider?.protocol ?? null,
  });
  if (evidence === null) {
    if (options.json === true) printJson(null);
    say("That is no failure.");
    return;
  }
  const now = Date.now();
  const protocol = options.protocol ?? provider?.protocol;
  const failure = classifyFailure(
    {
      ...evidence,
      ...(protocol === undefined ? {} : { protocol }),
      ...(provider === null ? {} : { provider: provider.id }),
    },
    { now, rows: config.failureRows },
  );
  if (options.json === true) printJson(toJson(failure));
  else printExplanation(failure, provider, now);
}

/** The configuration, for its providers and its rows. A broken one is no reason to explain nothing: then only what is built in counts. */
async function readConfig(): Promise<Pick<ResolvedConfig, "providers" | "failureRows">> {
  try {
    return await loadResolvedConfig(findHome());
  } catch (error) {
    if (!isUnderstudyError(error, "config_invalid")) throw error;
    say("The configuration is wrong (understudy config check), so only the built-in providers and rows count here.");
    return { providers: builtInProviders, failureRows: failureTable };
  }
}

function toJson({ reason, scope, next, retryAt, reloginRequired, row, message }: Failure): Record<string, unknown> {
  return { reason, scope, next, retryAt: isoTime(retryAt), reloginRequired, row, message };
}

function printExplanation(failure: Failure, provider: Provider | null, now: number): void {
  const { reason, scope, next, retryAt, reloginRequired, row, message } = failure;
  const command = signInCommand(provider?.id ?? "PROVIDER");
  const oauth = provider !== null && provider.signIn.kind !== "api_key" ? " --force-new-login" : "";
  printLines(`${dataColors.bold(reason)}: ${describeFailure({ ...failure, message: "" }, now)}`);
  printLines(
    ...alignColumns([
      ["  said", message],
      ["  counts against", scopeWords[scope]],
      ["  what is done", nextWords[next]],
      ["  again from", retryAt === undefined ? "not said" : describeTime(retryAt, now)],
      ["  sign in again", reloginRequired ? `yes: ${command}${oauth}` : "no"],
      ["  decided by", describeRow(row)],
    ]),
  );
}

const scopeWords: Readonly<Record<Scope, string>> = {
  request: "nobody: it is the request's own",
  credential: "this login or key, for every model",
  credential_model: "this model of this login or key",
  model: "this model at this provider, whoever asks",
  provider: "the whole provider",
  network: "nobody: it is the way there",
};

const nextWords: Readonly<Record<Next, string>> = {
  stop: "the turn stops: nobody else would answer differently",
  retry: "the same credential again, twice at most; then the next target",
  refresh: "the token is refreshed once and tried again; else the next credential",
  repair: "what was refused is taken out of the request, once; then the same credential",
  next_credential: "the next credential of the same provider; then the next target",
  next_target: "the next target; other credentials of this one come last",
};

function parseStatus(text: string): number {
  const status = Number(text);
  if (/^\d{3}$/.test(text) && status >= 100 && status <= 599) return status;
  throw new UnderstudyError("usage", "--status takes an HTTP status, 100 to 599");
}

function collect(line: string, lines: readonly string[] = []): string[] {
  return [...lines, line];
}

/** Names in lower case; a header given twice is joined as HTTP joins it. */
function parseHeaders(lines: readonly string[] = []): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) {
      throw new UnderstudyError("usage", '--header takes "name: value", for example --header "retry-after: 20"');
    }
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
