import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import envPaths from "env-paths";
import { UnderstudyError } from "../core/error.ts";

/** Where this installation keeps its files. Absolute paths; nothing is created. */
export interface UnderstudyHome {
  /** Folder of the store and its key: 0700 when it is made. */
  readonly dataDir: string;
  /** Folder of the configuration. */
  readonly configDir: string;
  readonly configFile: string;
  readonly storeFile: string;
  readonly keyFile: string;
}

/**
 * `UNDERSTUDY_HOME` puts everything into one folder: `config.yaml`, `understudy.db`, `understudy.key`. Otherwise the
 * platform's folders for configuration and data are used (on Linux `$XDG_CONFIG_HOME` and `$XDG_DATA_HOME`, as this
 * process has them). A relative `UNDERSTUDY_HOME` counts from the current folder. Throws `config_invalid` when there is no
 * home folder.
 */
export function understudyHome(env: Readonly<Record<string, string | undefined>>): UnderstudyHome {
  const chosen = env["UNDERSTUDY_HOME"]?.trim();
  const paths = chosen ? { config: resolve(chosen), data: resolve(chosen) } : envPaths("understudy", { suffix: "" });
  if (!isAbsolute(paths.data) || !isAbsolute(paths.config)) {
    // Without a home folder the platform's folders would be looked for wherever this process happens to stand.
    throw new UnderstudyError(
      "config_invalid",
      "no home folder is known: set UNDERSTUDY_HOME to a folder for this program",
    );
  }
  return {
    dataDir: paths.data,
    configDir: paths.config,
    configFile: join(paths.config, "config.yaml"),
    storeFile: join(paths.data, "understudy.db"),
    keyFile: join(paths.data, "understudy.key"),
  };
}

/**
 * The text of the configuration; empty when there is no such file. Throws `UnderstudyError` `config_invalid` when it is
 * there and can't be read: going on with defaults would send turns to places that the person has ruled out.
 */
export async function readConfigFile(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    if (code === "ENOENT") return "";
    throw new UnderstudyError(
      "config_invalid",
      `${path}: the configuration can't be read (${code})`,
      {},
      { cause: error },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UnderstudyError("config_invalid", `${path}: the configuration is not UTF-8 text`, {}, { cause: error });
  }
}
