import { join } from "node:path";
import { addEntry } from "../config/edit.ts";
import { UnderstudyError } from "../core/error.ts";
import { readCodexFile } from "../credentials/imports/codex.ts";
import { type Found, nothingFound, type ReadResult } from "../credentials/imports/found.ts";
import { readHermesAuth, readHermesConfig } from "../credentials/imports/hermes.ts";
import { readOpencodeFile } from "../credentials/imports/opencode.ts";
import { type ForeignTool, foreignFolder, readForeignFile } from "../platform/foreign-files.ts";
import { requireProvider } from "./find-provider.ts";
import type { Workspace } from "../workspace.ts";
import { editConfig } from "../platform/edit-config.ts";
import { exitCodes } from "./exit-codes.ts";
import { alignColumns, colors, dataColors, printJson, printLines, say, shellWord } from "./output.ts";
import { type ImportPlan, planImport, type PlanLine } from "./plan-import.ts";
import { askChoice } from "./prompt.ts";
import { signIn } from "./sign-in.ts";

export interface ImportOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  /** Takes a login over though two tools then share its single-use token. */
  readonly shareLogin?: boolean;
  /** What the chain is called. Default: the tool's name. */
  readonly route?: string;
}

interface Tool {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly read: (text: string) => ReadResult }[];
}

const tools: Readonly<Record<ForeignTool, Tool>> = {
  codex: { name: "the Codex CLI", files: [{ name: "auth.json", read: readCodexFile }] },
  hermes: {
    name: "Hermes",
    files: [
      { name: "auth.json", read: readHermesAuth },
      { name: "config.yaml", read: readHermesConfig },
    ],
  },
  opencode: { name: "opencode", files: [{ name: "auth.json", read: readOpencodeFile }] },
};

/**
 * Brings over what another tool has: shows what and what not, asks before two tools share one login, and writes. The other tool's
 * files are only read. Throws `usage` when there is nothing to read, or nobody to ask.
 */
export async function importFrom(workspace: Workspace, tool: ForeignTool, options: ImportOptions): Promise<void> {
  const folder = await foreignFolder(tool, workspace.env, options.from);
  const found = await readAll(tool, folder);
  const { config, store, clock, env } = workspace;
  const plan = planImport(found, {
    providers: config.providers,
    credentials: await store.listCredentials(),
    env,
    now: clock.now(),
    routes: config.routes.map(({ name }) => name),
    pools: [...config.strategies.keys()],
    routeName: options.route ?? tool,
  });
  const show = (imported: boolean): void => {
    if (options.json === true) printJson({ tool, folder, imported, items: plan.lines });
  };
  if (options.json !== true) printPlan(plan);
  if (!comesOver(plan)) {
    show(false);
    const refused = plan.lines.some(({ action }) => action === "refused");
    say(refused ? `Nothing of ${tools[tool].name} can come over.` : "Nothing has to come over.");
    if (refused) process.exitCode = exitCodes.failed;
    return;
  }
  if (options.dryRun === true) {
    show(false);
    say("Nothing was written: this was only a look.");
    return;
  }
  const logins = plan.logins.length === 0 ? "share" : await askAboutLogins(tool, options);
  if (logins === "cancel") {
    say("Nothing was written.");
    return show(false);
  }
  await write(workspace, { ...plan, logins: logins === "share" ? plan.logins : [] });
  show(true);
  if (logins === "separate") await signIn(workspace, requireProvider(config.providers, "codex"), {});
}

async function readAll(tool: ForeignTool, folder: string): Promise<Found> {
  let found = nothingFound;
  let files = 0;
  for (const { name, read } of tools[tool].files) {
    const path = join(folder, name);
    const text = await readForeignFile(path);
    if (text === null) continue;
    files += 1;
    const result = read(text);
    if (!result.ok) throw new UnderstudyError("usage", `${path}: ${result.reason}`);
    found = merge(found, result.found);
  }
  if (files > 0) return found;
  const keyring =
    tool === "codex" ? ". The Codex CLI may keep its login in the system's keyring, which is not read" : "";
  const message = `there is nothing of ${tools[tool].name} in ${folder}${keyring}`;
  throw new UnderstudyError("usage", message, tool === "codex" ? { command: "understudy auth add codex" } : {});
}

function merge(a: Found, b: Found): Found {
  return {
    credentials: [...a.credentials, ...b.credentials],
    leftOut: [...a.leftOut, ...b.leftOut],
    targets: [...a.targets, ...b.targets],
    strategies: [...a.strategies, ...b.strategies],
    providers: [...a.providers, ...b.providers],
  };
}

function comesOver({ logins, keys, route, strategies, providers }: ImportPlan): boolean {
  return logins.length + keys.length + strategies.length + providers.length > 0 || route !== null;
}

const actionWords: Readonly<Record<PlanLine["action"], string>> = {
  add: "comes over",
  renew: "renews",
  present: "is here",
  refused: "stays there",
};

function printPlan({ lines }: ImportPlan): void {
  const color = { add: dataColors.green, renew: dataColors.green, present: dataColors.dim, refused: dataColors.yellow };
  printLines(
    ...alignColumns(
      lines.map(({ place, action, what, reason }) => [place, color[action](actionWords[action]), what ?? reason ?? ""]),
    ),
  );
}

/** Two tools with one single-use token end with one of them signed out: nobody shall come by that unawares. */
async function askAboutLogins(tool: ForeignTool, options: ImportOptions): Promise<"share" | "separate" | "cancel"> {
  const { name } = tools[tool];
  if (options.shareLogin === true) return "share";
  const why =
    `A login's refresh token works once: each refresh makes the next one. If ${name} and Understudy share a login, ` +
    "whoever refreshes second is refused, and its provider may end the whole login.";
  const instead = `${why} Better a login of its own: understudy auth add codex --force-new-login. To share all the same: --share-login`;
  say(colors.bold("Two tools, one login"), why, "");
  return askChoice(
    "What shall happen with the login?",
    [
      { value: "separate" as const, label: "Sign in separately", hint: "a login of its own; the rest comes over" },
      {
        value: "share" as const,
        label: `Share the login of ${name}`,
        hint: "removing or renewing it here ends it there",
      },
      { value: "cancel" as const, label: "Cancel" },
    ],
    instead,
  );
}

/** The configuration first: it is written as a whole or not at all, and what is wrong with it stops everything. */
async function write({ store, clock, home }: Workspace, plan: ImportPlan): Promise<void> {
  const { route, strategies, providers } = plan;
  const changed = await editConfig(home, (text, fileName) => {
    let next = text;
    for (const { id, settings } of providers) next = addEntry(next, fileName, "providers", id, settings);
    if (route !== null) next = addEntry(next, fileName, "routes", route.name, route.targets);
    for (const { provider, strategy } of strategies) next = addEntry(next, fileName, "pools", provider, { strategy });
    return next;
  });
  if (changed) {
    say(`${home.configFile} is written${route === null ? "" : `: understudy ask --route ${shellWord(route.name)}`}.`);
  }
  const now = clock.now();
  for (const { provider, account, grant, label } of plan.logins) {
    const saved = await store.saveLogin({ provider: provider.id, label, account, grant, at: now });
    say(`Imported ${colors.bold(`${provider.id} · ${saved.credential.label}`)}.`);
  }
  for (const { provider, source, label } of plan.keys) {
    const { label: given } = await store.addApiKey({ provider: provider.id, label, source, at: now });
    say(`Imported ${colors.bold(`${provider.id} · ${given}`)}.`);
  }
}
