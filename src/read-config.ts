import { existsSync } from "node:fs";
import { join } from "node:path";
import { emptyConfig } from "./config/empty-config.ts";
import { configError } from "./config/problem.ts";
import type { Config } from "./config/schema.ts";
import { openCacheFiles } from "./platform/cache-files.ts";
import { readConfigFile, type UnderstudyHome } from "./platform/home.ts";

/** Names the sources that a bundle was made of. Not there where the sources themselves, or single modules, run. */
declare const understudyBuild: string | undefined;

/** The checked configuration without its secrets-to-be: see `mayBeKept`. */
interface Kept {
  readonly build: string;
  readonly text: string;
  readonly config: Config;
}

const cacheName = "config";

/**
 * The checked configuration of this installation; the empty one where there is no file. Throws `config_invalid`, with every problem.
 *
 * Reading YAML and checking it takes longer than everything else that a small command does. So a bundled program keeps what came of it
 * beside the store, and takes it again while the text and the program are the same.
 */
export async function readCheckedConfig(home: UnderstudyHome): Promise<Config> {
  const text = await readConfigFile(home.configFile);
  if (text === "") return emptyConfig;
  const build = typeof understudyBuild === "undefined" ? null : understudyBuild;
  if (build === null) return parseConfigText(text, home.configFile);
  const cache = openCacheFiles(join(home.dataDir, "cache"));
  const known = { build, text: markOf(text) };
  const kept = cache.read(cacheName) as Partial<Kept> | null;
  if (kept?.build === known.build && kept.text === known.text && kept.config !== undefined) return kept.config;
  const config = await parseConfigText(text, home.configFile);
  // Whoever only looks makes no folders.
  if (existsSync(home.dataDir) && mayBeKept(config)) cache.write(cacheName, { ...known, config } satisfies Kept);
  return config;
}

/** The address of a PostgreSQL store may hold a password, and headers what nobody expects: neither is written to a second place. */
function mayBeKept({ store = "", providers }: Config): boolean {
  return !store.includes("://") && Object.values(providers).every(({ headers }) => headers === undefined);
}

/**
 * Tells a text from what it was before: its length and two running products, so that texts of one length that differ in a single place never
 * look the same. Nobody is kept from anything by it; what would (SHA-256) takes longer to load than the rest of a small command.
 */
function markOf(text: string): string {
  let [one, other] = [0x811c9dc5, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x5f356495);
  }
  return [text.length, one >>> 0, other >>> 0].map((part) => part.toString(36)).join("-");
}

/** The same of a text; `name` is for the messages. */
export async function parseConfigText(text: string, name: string): Promise<Config> {
  const { parseConfig } = await import("./config/parse.ts");
  const parsed = parseConfig(text, name);
  if (!parsed.ok) throw configError(parsed.problems);
  return parsed.config;
}
