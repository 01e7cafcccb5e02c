import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
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
  const paths = chosen ? { config: resolve(chosen), data: resolve(chosen) } : platformFolders("understudy");
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
 * Where programs keep their things on this platform: XDG Base Directory Specification; `~/Library` on macOS; `%APPDATA%` and
 * `%LOCALAPPDATA%` on Windows. Relative when there is no home folder: nobody set HOME, and the system does not know this user.
 */
function platformFolders(name: string): { readonly config: string; readonly data: string } {
  const { env } = process;
  // The specification: an empty variable is as good as none, and a relative one is invalid.
  const folder = (variable: string, ...usual: readonly string[]): string => {
    const set = env[variable] ?? "";
    return isAbsolute(set) ? set : join(homeFolder(), ...usual);
  };
  if (process.platform === "darwin") {
    const library = join(homeFolder(), "Library");
    return { config: join(library, "Preferences", name), data: join(library, "Application Support", name) };
  }
  if (process.platform === "win32") {
    return {
      config: join(folder("APPDATA", "AppData", "Roaming"), name, "Config"),
      data: join(folder("LOCALAPPDATA", "AppData", "Local"), name, "Data"),
    };
  }
  return {
    config: join(folder("XDG_CONFIG_HOME", ".config"), name),
    data: join(folder("XDG_DATA_HOME", ".local", "share"), name),
  };
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}

/**
 * The text of the configuration; empty when there is no such file. Throws `UnderstudyError` `config_invalid` when it is
 * there and can't be read: going on with defaults would send turns to places that the person has ruled out.
 */
export async function readConfigFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
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
  if (!isUtf8(bytes)) throw new UnderstudyError("config_invalid", `${path}: the configuration is not UTF-8 text`);
  // A byte order mark is none of the text.
  const text = bytes.toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
