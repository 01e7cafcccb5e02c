import { chmodSync, readdirSync, rmSync, statSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import type { StorePlace } from "../../open-store.ts";
import type { UnderstudyHome } from "../../platform/home.ts";
import { type Finding, finding } from "./finding.ts";

/** A file that a writer left behind when it was killed is this old at least, in ms. */
const leftoverAgeMs: number = 10 * 60_000;

const fixCommand = "understudy doctor --fix";

/**
 * Who may read what: the store, its key and its folder are for their owner only. Only looks at them; with `fix` it takes away what
 * others may, and removes what killed writers left.
 */
export function checkFiles(home: UnderstudyHome, place: StorePlace | null, fix: boolean): Finding[] {
  const folders = new Set([home.dataDir]);
  const files = ["gateway.json", "gateway.key"].map((name) => join(home.dataDir, name));
  if (place?.kind === "sqlite") {
    folders.add(dirname(place.file));
    files.push(place.keyFile, ...["", "-wal", "-shm"].map((ending) => `${place.file}${ending}`));
  }
  const found = [
    ...[...folders].flatMap((folder) => checkMode(folder, 0o700, fix)),
    ...files.flatMap((file) => checkMode(file, 0o600, fix)),
    ...checkConfigMode(home, fix),
    ...[home.configDir, join(home.dataDir, "cache"), join(home.dataDir, "chats")].flatMap((folder) =>
      leftovers(folder, fix),
    ),
  ];
  return found.length === 0 ? [finding("files", "ok", `for their owner only, in ${home.dataDir}`)] : found;
}

function checkMode(path: string, mode: number, fix: boolean): Finding[] {
  const stat = look(path);
  const uid = process.getuid?.();
  if (stat === null || uid === undefined) return [];
  if (stat.uid !== uid) return [finding("files", "broken", `${path} belongs to another user (uid ${stat.uid})`)];
  const open = stat.mode & 0o777 & ~mode;
  if ((open & 0o077) === 0) return [];
  if (!fix) return [finding("files", "broken", `other users may get at ${path} (mode ${octal(stat)})`, fixCommand)];
  chmodSync(path, stat.mode & mode);
  return [finding("files", "mended", `${path} was open to other users (mode ${octal(stat)})`)];
}

/** Whoever may write the configuration says where keys are sent. */
function checkConfigMode({ configFile }: UnderstudyHome, fix: boolean): Finding[] {
  const stat = look(configFile);
  if (stat === null || process.getuid === undefined || (stat.mode & 0o022) === 0) return [];
  const words = `other users may change ${configFile} (mode ${octal(stat)}), and so where keys are sent`;
  if (!fix) return [finding("files", "broken", words, fixCommand)];
  chmodSync(configFile, stat.mode & ~0o022 & 0o777);
  return [finding("files", "mended", words.replace("may change", "could change"))];
}

/** Temporary files of our own making: `.config.yaml.4711-0a1b2c3d`, `models-codex.json.4711-0a1b2c3d`. */
function leftovers(folder: string, fix: boolean): Finding[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const old = names
    .filter((name) => /\.\d+-[0-9a-f]{8}$/.test(name))
    .map((name) => join(folder, name))
    .filter((path) => Date.now() - (look(path)?.mtimeMs ?? Date.now()) > leftoverAgeMs);
  if (old.length === 0) return [];
  if (!fix)
    return [
      finding("files", "warning", `${old.length} left over in ${folder} by a writer that was killed`, fixCommand),
    ];
  for (const path of old) rmSync(path, { force: true });
  return [finding("files", "mended", `${old.length} left over in ${folder} by a writer that was killed`)];
}

function look(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function octal({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
