import type { Failure } from "../core/failure.ts";
import type { PlanUsage, PlanWindow } from "../core/plan-usage.ts";
import { needsRelogin, type OAuthCredential } from "../credentials/credential.ts";
import { codexUsageUrl, readUsageBody } from "../providers/codex-usage.ts";
import type { Provider } from "../providers/provider.ts";
import { askProvider } from "../turn/ask-provider.ts";
import { describeDuration, describeFailure, describeTime, repairCommand, signInCommand } from "../turn/advice.ts";
import type { Workspace } from "../workspace.ts";
import { requirePool } from "./find-provider.ts";
import { interruptSignal } from "./interrupt.ts";
import { alignColumns, dataColors, printLines, say } from "./output.ts";

/** One account, and what is known of its plan. */
export interface AccountUsage {
  readonly provider: Provider;
  readonly login: OAuthCredential;
  readonly usage: PlanUsage | null;
  /** Why the provider could not be asked; null when it was not, or answered. */
  readonly failure: Failure | null;
}

/** What is known of each account's plan. `cached`: nobody is called. */
export async function readUsage(
  workspace: Workspace,
  name: string | undefined,
  cached: boolean,
): Promise<AccountUsage[]> {
  const logins = await listLogins(workspace, name);
  const asked = await Promise.all(logins.map(([provider, login]) => look(workspace, provider, login, cached)));
  workspace.usage.flush();
  return asked;
}

/** Prints it, with bars. Throws `usage` for a provider that is not known. */
export async function showUsage(workspace: Workspace, name: string | undefined, cached: boolean): Promise<void> {
  printUsage(await readUsage(workspace, name, cached), name, workspace.clock.now());
}

export function printUsage(accounts: readonly AccountUsage[], name: string | undefined, now: number): void {
  for (const one of accounts) print(one, now);
  tellProblems(accounts, name, now);
}

/** What is to be said beside the data. */
export function tellProblems(accounts: readonly AccountUsage[], name: string | undefined, now: number): void {
  if (accounts.length === 0)
    say(`No login with a plan${name === undefined ? "" : ` at ${name}`}: keys have no windows.`);
  for (const one of accounts) tellFailure(one, now);
}

/** The logins of providers that say how much of a plan is used. */
async function listLogins(workspace: Workspace, name: string | undefined): Promise<[Provider, OAuthCredential][]> {
  const { config, store } = workspace;
  const wanted = name === undefined ? undefined : (await requirePool(workspace, name)).providerId;
  const logins = (await store.listCredentials(wanted)).filter((one) => one.kind === "oauth");
  return config.providers
    .filter(({ signIn }) => signIn.kind === "codex")
    .flatMap((provider) =>
      logins.flatMap((one): [Provider, OAuthCredential][] =>
        one.kind === "oauth" && one.provider === provider.id ? [[provider, one]] : [],
      ),
    );
}

async function look(
  { runtime, usage, clock }: Workspace,
  provider: Provider,
  login: OAuthCredential,
  cached: boolean,
): Promise<AccountUsage> {
  const remembered = usage.read(login.id);
  if (cached) return { provider, login, usage: remembered, failure: null };
  const answer = await askProvider(runtime, {
    provider,
    credential: login,
    url: (baseUrl) => codexUsageUrl(baseUrl),
    signal: interruptSignal,
  });
  if (!answer.ok) return { provider, login, usage: remembered, failure: answer.failure };
  const read = readUsageBody(answer.body, clock.now());
  if (read === null) return { provider, login, usage: remembered, failure: noUsage };
  usage.note(login.id, read);
  return { provider, login, usage: read, failure: null };
}

const noUsage: Failure = {
  reason: "unknown",
  scope: "request",
  next: "stop",
  reloginRequired: false,
  message: "the provider's answer says nothing of a plan",
  row: "no-plan-usage",
};

const barLength = 24;

function print({ provider, login, usage }: AccountUsage, now: number): void {
  const plan = usage?.plan ?? login.account.plan;
  const who = [...(plan === null ? [] : [`${plan} plan`]), ...ageOf(usage, now)].join(", ");
  printLines(`${dataColors.bold(`${provider.id} · ${login.label}`)}${who === "" ? "" : ` (${who})`}`);
  if (usage === null) {
    printLines(
      `  nothing is known yet; ${needsRelogin(login) ? signInCommand(provider.id, login) : "the next answer tells"}`,
    );
    return;
  }
  const windows = usage.windows.toSorted((a, b) => (a.windowMinutes ?? 0) - (b.windowMinutes ?? 0));
  printLines(...alignColumns(windows.map((window) => toRow(window, now))));
  if (windows.length === 0) printLines("  no window of this plan is in use");
  const { credits } = usage;
  if (credits !== null) printLines(`  credits: ${credits.unlimited ? "unlimited" : (credits.balance ?? "some")}`);
}

function toRow(window: PlanWindow, now: number): string[] {
  const over = window.resetsAt !== null && window.resetsAt <= now;
  const used = over ? 0 : window.usedPercent;
  const length = window.windowMinutes === null ? window.name : describeDuration(window.windowMinutes * 60_000);
  const named = /^(primary|secondary)$/.test(window.name) || window.windowMinutes === null ? "" : ` ${window.name}`;
  const color = used >= 100 ? dataColors.red : used >= 80 ? dataColors.yellow : dataColors.green;
  const reset =
    window.resetsAt === null ? "" : over ? "has begun anew since" : `resets ${describeTime(window.resetsAt, now)}`;
  return [`  ${length}${named}`, color(bar(used)), `${Math.round(used)} %`.padStart(5), reset];
}

function bar(percent: number): string {
  const full = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * barLength);
  return `${"█".repeat(full)}${"░".repeat(barLength - full)}`;
}

/** How old it is, when it was not said just now. */
function ageOf(usage: PlanUsage | null, now: number): string[] {
  if (usage === null || now - usage.at < 60_000) return [];
  return [`as of ${describeDuration(now - usage.at)} ago`];
}

function tellFailure({ provider, login, failure }: AccountUsage, now: number): void {
  if (failure === null) return;
  const command = repairCommand(failure, provider.id, login);
  const help = command === null ? "" : `. Run ${command}`;
  say(`${provider.id} · ${login.label} can't be asked: ${describeFailure(failure, now)}${help}`);
}
