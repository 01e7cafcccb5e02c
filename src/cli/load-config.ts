import type { ParsedConfig } from "../config/parse.ts";
import { type ResolvedConfig, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { readConfigFile, type UnderstudyHome, understudyHome } from "../platform/home.ts";
import { builtInProviders } from "../providers/registry.ts";
import { readCheckedConfig } from "../read-config.ts";

/** Where this installation keeps its files. */
export function findHome(): UnderstudyHome {
  return understudyHome(process.env);
}

/** Reads and checks the configuration without opening anything else. Throws `config_invalid` when it can't be read. */
export async function parseConfigFile(home: UnderstudyHome): Promise<ParsedConfig> {
  const { parseConfig } = await import("../config/parse.ts");
  return parseConfig(await readConfigFile(home.configFile), home.configFile);
}

/** The checked configuration. Throws `config_invalid`, with every problem. */
export async function loadConfig(home: UnderstudyHome): Promise<Config> {
  return readCheckedConfig(home);
}

/** The configuration together with the environment. Throws `config_invalid`. */
export async function loadResolvedConfig(home: UnderstudyHome): Promise<ResolvedConfig> {
  return resolveConfig(await loadConfig(home), builtInProviders, process.env);
}
