import { parseConfig, type ParsedConfig } from "../config/parse.ts";
import { configError } from "../config/problem.ts";
import { type ResolvedConfig, resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { readConfigFile, type UnderstudyHome, understudyHome } from "../platform/home.ts";
import { builtInProviders } from "../providers/registry.ts";

/** Where this installation keeps its files. */
export function findHome(): UnderstudyHome {
  return understudyHome(process.env);
}

/** Reads and checks the configuration without opening anything else. Throws `config_invalid` when it can't be read. */
export async function parseConfigFile(home: UnderstudyHome): Promise<ParsedConfig> {
  return parseConfig(await readConfigFile(home.configFile), home.configFile);
}

/** The checked configuration. Throws `config_invalid`, with every problem. */
export async function loadConfig(home: UnderstudyHome): Promise<Config> {
  const parsed = await parseConfigFile(home);
  if (!parsed.ok) throw configError(parsed.problems);
  return parsed.config;
}

/** The configuration together with the environment. Throws `config_invalid`. */
export async function loadResolvedConfig(home: UnderstudyHome): Promise<ResolvedConfig> {
  return resolveConfig(await loadConfig(home), builtInProviders, process.env);
}
