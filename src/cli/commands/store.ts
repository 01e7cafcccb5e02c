import type { Command } from "commander";
import { systemClock } from "../../core/clock.ts";
import { UnderstudyError } from "../../core/error.ts";
import { copyBetween, migrateStore, rekey } from "../../maintain-store.ts";
import { describeKey, findKeyOrigin, type KeyOrigin, locateStore, type StorePlace } from "../../open-store.ts";
import { addCommands, type CommandEntry } from "../command-table.ts";
import { findHome, loadConfig } from "../load-config.ts";
import { colors, printJson, printLines, say } from "../output.ts";

const entries: readonly CommandEntry[] = [
  {
    name: "path",
    summary: "Print where the store is, and where its key comes from",
    load: () => Promise.resolve(pathCommand),
  },
  {
    name: "migrate",
    summary: "Make the tables of the store, or bring them up to date",
    load: () => Promise.resolve(migrateCommand),
  },
  {
    name: "copy",
    summary: "Bring everything of one store into another, without spending a token",
    load: () => Promise.resolve(copyCommand),
  },
  {
    name: "rekey",
    summary: "Seal everything in the store with a new key",
    load: () => Promise.resolve(rekeyCommand),
  },
];

const examples = `
Examples:
  $ understudy store path
  $ understudy store migrate                                                makes the tables of a PostgreSQL store
  $ understudy store copy --from sqlite --to postgres://me@db.example/pool  from one machine to several
  $ UNDERSTUDY_NEW_KEY="$(openssl rand -base64 32)" understudy store rekey
`;

export async function storeCommand(command: Command, argv: readonly string[]): Promise<void> {
  command.addHelpText("after", examples);
  await addCommands(command, entries, argv);
}

function pathCommand(command: Command): void {
  command.option("--json", "with the kind of store and of key, as JSON").action(async (options: { json?: boolean }) => {
    const place = await configuredPlace();
    if (options.json === true) {
      printJson({ kind: place.kind, place: place.name, key: keyOrigin(place) });
      return;
    }
    printLines(place.name);
    say(colors.dim(`Its key comes from ${whereKeyIs(place)}.`));
  });
}

function migrateCommand(command: Command): void {
  command.action(async () => {
    const place = await configuredPlace();
    const versions = await migrateStore(place, process.env);
    if (versions === null) say(`${place.name} is up to date.`);
    else if (versions.from === versions.to) say(`${place.name} is up to date: version ${versions.to}.`);
    else if (versions.from === 0) say(`Made the tables of ${place.name}, version ${versions.to}.`);
    else say(`Brought ${place.name} from version ${versions.from} to ${versions.to}.`);
  });
}

function copyCommand(command: Command): void {
  command
    .requiredOption("--from <store>", "a path, a postgres:// address, or sqlite or postgres for the usual one")
    .requiredOption("--to <store>", "the same; it is made if there is none")
    .option("--merge", "put it beside what the target holds already; of two states of a login the newer wins")
    .action(async (options: { from: string; to: string; merge?: boolean }) => {
      const [from, to] = [await namedPlace(options.from), await namedPlace(options.to)];
      const counts = await copyBetween(from, to, {
        env: process.env,
        clock: systemClock,
        merge: options.merge === true,
      });
      const { added, replaced, kept, cooldowns, turns } = counts;
      const beside =
        replaced + kept > 0 ? ` (${replaced} took the place of older ones, ${kept} were there already)` : "";
      say(`Copied ${added + replaced} credentials${beside}, ${cooldowns} cooldowns and ${turns} turns to ${to.name}.`);
      if (added + replaced === 0) return;
      say(
        `Both stores hold the same logins now, and a refresh token can be spent once: whoever goes on with ${from.name} ends the logins in the other. Stop what uses it, and name the new one: store: ${shownInConfig(to)}`,
      );
    });
}

function rekeyCommand(command: Command): void {
  command.action(async () => {
    const place = await configuredPlace();
    const result = await rekey(place, process.env);
    if (result.key === "file") {
      say(`Everything in ${place.name} is sealed with a new key, which is in ${result.path}. What runs goes on.`);
      return;
    }
    const done = result.changed ? "is sealed with the new key now" : "was sealed with that key already";
    say(
      `Everything in ${place.name} ${done}. Give it as UNDERSTUDY_KEY from now on, or let UNDERSTUDY_KEY_COMMAND print it, and take UNDERSTUDY_NEW_KEY away.`,
    );
  });
}

async function configuredPlace(): Promise<StorePlace> {
  const home = findHome();
  return locateStore((await loadConfig(home)).store, home);
}

/** A store by what a person typed: the word for the kind means the configured one, or for SQLite the usual file. */
async function namedPlace(given: string): Promise<StorePlace> {
  if (given !== "sqlite" && given !== "postgres")
    return locateStore(given, { ...findHome(), configDir: process.cwd() });
  const configured = await configuredPlace();
  if (configured.kind === given) return configured;
  if (given === "sqlite") return locateStore(undefined, findHome());
  throw new UnderstudyError("usage", "the configuration names no PostgreSQL store; give its postgres:// address");
}

function keyOrigin(place: StorePlace): string | null {
  let origin: KeyOrigin;
  try {
    origin = findKeyOrigin(place, process.env);
  } catch {
    return null;
  }
  return origin.from === "file" ? origin.path : origin.name;
}

function whereKeyIs(place: StorePlace): string {
  return keyOrigin(place) === null ? "nowhere yet: set UNDERSTUDY_KEY" : describeKey(place, process.env);
}

function shownInConfig(place: StorePlace): string {
  return place.kind === "sqlite" ? place.name : "postgres://…";
}
