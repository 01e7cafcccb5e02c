import { existsSync } from "node:fs";
import type { Command } from "commander";
import { describeKey, locateStore, type StorePlace } from "../../open-store.ts";
import { cannotOpen, checkAccounts } from "../doctor/check-accounts.ts";
import { checkFiles } from "../doctor/check-files.ts";
import { checkMachine } from "../doctor/check-machine.ts";
import { type Finding, finding } from "../doctor/finding.ts";
import { probe } from "../doctor/probe.ts";
import { exitCodes } from "../exit-codes.ts";
import { findHome, loadConfig } from "../load-config.ts";
import { withWorkspaceToRead } from "../open-workspace.ts";
import { alignColumns, dataColors, printJson, printLines } from "../output.ts";

interface DoctorOptions {
  readonly fix?: boolean;
  readonly probe?: boolean;
  readonly json?: boolean;
}

const examples = `
Looks at the configuration, the files, the routes, logins and keys, and this machine. Calls nobody, unless --probe; changes nothing,
unless --fix: that closes files to other users and removes what killed writers left.

Exit codes of this command:
  0 nothing is broken · 1 something is · 3 something is that only a sign-in mends

Examples:
  $ understudy doctor
  $ understudy doctor --probe                each login and key is tried, without calling a model
  $ understudy doctor --json | jq '.findings[] | select(.state == "broken")'
`;

export function doctorCommand(command: Command): void {
  command
    .option("--fix", "mend what can be mended")
    .option("--probe", "call each provider with each login and key, once")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action(async (options: DoctorOptions) => {
      const findings = await examine(options);
      if (options.json === true) printJson({ ok: !findings.some(isBroken), findings });
      else print(findings);
      const broken = findings.filter(isBroken);
      if (broken.some(({ command: help }) => help?.startsWith("understudy auth add") === true)) {
        process.exitCode = exitCodes.needsPerson;
      } else if (broken.length > 0) process.exitCode = exitCodes.failed;
    });
}

async function examine({ fix = false, probe: probes = false }: DoctorOptions): Promise<Finding[]> {
  const home = findHome();
  const machine = await checkMachine(home);
  let place: StorePlace;
  try {
    const { store } = await loadConfig(home);
    place = locateStore(store, home);
  } catch (error) {
    return [...machine, cannotOpen("configuration", error), ...checkFiles(home, null, fix)];
  }
  const config = existsSync(home.configFile)
    ? finding("configuration", "ok", home.configFile)
    : finding("configuration", "warning", `there is no ${home.configFile}: the defaults hold`, "understudy model");
  // Before the store is opened, which closes its own files by itself.
  const files = checkFiles(home, place, fix);
  try {
    // As a turn would open it: a store that can't be written is not in order.
    return await withWorkspaceToRead(
      async (workspace) => [
        ...machine,
        config,
        ...files,
        finding("store", "ok", `${place.name}, its key from ${describeKey(place, process.env)}`),
        ...(await checkAccounts(workspace)),
        ...(probes ? await probe(workspace) : []),
      ],
      false,
    );
  } catch (error) {
    return [...machine, config, ...files, cannotOpen("store", error)];
  }
}

function isBroken({ state }: Finding): boolean {
  return state === "broken";
}

const marks: Readonly<Record<Finding["state"], string>> = { ok: "✓", warning: "!", broken: "✗", mended: "+" };

function print(findings: readonly Finding[]): void {
  const colors = {
    ok: dataColors.green,
    warning: dataColors.yellow,
    broken: dataColors.red,
    mended: dataColors.green,
  };
  const rows = findings.map(({ check, state, words }) => [
    colors[state](marks[state]),
    check,
    state === "mended" ? `${words}: mended` : words,
  ]);
  printLines(
    ...alignColumns(rows).flatMap((line, i) => {
      const help = findings[i]?.command ?? null;
      return help === null ? [line] : [line, `   run ${help}`];
    }),
  );
}
