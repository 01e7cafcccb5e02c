import { type CancelSignal, toAbortSignal } from "../core/cancel.ts";
import { homedir } from "node:os";
import { join } from "node:path";
import { UnderstudyError } from "../core/error.ts";
import type { Soon } from "../core/soon.ts";
import { isUsableSecret, Secret } from "../core/secret.ts";
import type { KeySource } from "../credentials/credential.ts";

/** A file or an output longer than this holds no key, in bytes. */
const longestKeySource = 64 * 1024;

export interface ReadKeyOptions {
  /** Where `env` sources are read, and what a command inherits. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a command may take. Default 10,000 ms. */
  readonly commandTimeoutMs?: number;
  readonly signal?: CancelSignal;
}

/**
 * The key, read at the moment of use; null for a source that has none (`from: "none"`). Of a file and of a command's
 * output the first line counts, without blanks around it; a path may begin with `~/`.
 *
 * One that is stored or stands in the environment is given at once. Rejects with `UnderstudyError` `credential_unknown` that names the variable, the path or the command which gave no usable
 * key. It repeats nothing of what they hold or print, since that may be the key.
 */
export function readKeySource(source: KeySource, options: ReadKeyOptions): Soon<Secret | null> {
  switch (source.from) {
    case "none":
      return null;
    case "stored":
      return source.secret;
    case "env":
      return variableKey(source.name, options.env[source.name]);
    case "file":
      return readKeyFile(source.path).then((text) => usable(text, `the key file ${source.path}`));
    case "command":
      return runKeyCommand(source.command, options).then((text) =>
        usable(text, `the key command ${commandName(source.command)}`),
      );
  }
}

/** By the name of the variable, the key that it held when it was last read: nearly always the same again. */
const variableKeys = new Map<string, Secret>();

function variableKey(name: string, text: string | undefined): Soon<Secret> {
  const known = variableKeys.get(name);
  if (known !== undefined && known.reveal() === text) return known;
  try {
    const key = usable(text, `the environment variable ${name}`);
    variableKeys.set(name, key);
    return key;
  } catch (error) {
    return Promise.reject(error);
  }
}

function usable(text: string | undefined, what: string): Secret {
  const line = text?.trimStart().split(/\r?\n/, 1)[0]?.trim() ?? "";
  if (isUsableSecret(line)) return new Secret(line);
  const fault =
    text === undefined ? "is not set" : line === "" ? "gives nothing" : "gives something that can't be a key";
  throw new UnderstudyError("credential_unknown", `no key: ${what} ${fault}`);
}

async function readKeyFile(path: string): Promise<string> {
  const file = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  const { readFile } = await import("node:fs/promises");
  try {
    return (await readFile(file, "utf8")).slice(0, longestKeySource);
  } catch (error) {
    throw new UnderstudyError("credential_unknown", `no key: the key file ${path} can't be read (${codeOf(error)})`);
  }
}

/**
 * Runs the command in the system's shell. Its standard error is dropped and its text never quoted: password managers
 * print what they were asked for into either stream.
 */
async function runKeyCommand(command: string, options: ReadKeyOptions): Promise<string> {
  const { exec } = await import("node:child_process");
  const timeout = options.commandTimeoutMs ?? 10_000;
  return new Promise((resolve, reject) => {
    const limits = { timeout, maxBuffer: longestKeySource, windowsHide: true, encoding: "utf8" } as const;
    const signal = options.signal === undefined ? undefined : toAbortSignal(options.signal);
    const child = exec(command, { ...limits, env: { ...options.env }, signal }, (error, stdout) => {
      if (error === null) return resolve(stdout);
      if (options.signal?.aborted) return reject(options.signal.reason);
      const fault =
        error.killed && error.signal !== null ? `took longer than ${timeout} ms` : `failed (${codeOf(error)})`;
      reject(new UnderstudyError("credential_unknown", `no key: the key command ${commandName(command)} ${fault}`));
    });
    // A command that asks must fail, not wait.
    child.stdin?.end();
  });
}

/** The first word of a command: what stands behind it may be a secret. */
function commandName(command: string): string {
  const [first = "", ...rest] = command.trim().split(/\s+/);
  const name = first.includes("=") ? "…" : first;
  return `\`${rest.length === 0 ? name : `${name} …`}\``;
}

/** `ENOENT`, `exit 3`: what a system error says, without its text. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "number") return `exit ${code}`;
  return typeof code === "string" ? code : "error";
}
