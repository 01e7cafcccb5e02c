import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UnderstudyError } from "../core/error.ts";

/**
 * Replaces a configuration file as a whole or not at all: written beside it, synced, renamed over it. A link stays a link, also one to
 * a file that is not there yet; a file keeps its mode, and a new one is for its owner only. Throws `config_invalid` when it can't be written; then the old one stands.
 */
export function writeConfigFile(path: string, text: string): void {
  let written: string | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { target, mode } = findTarget(path);
    written = join(dirname(target), `.${basename(target)}.${process.pid}-${randomBytes(4).toString("hex")}`);
    const descriptor = openSync(written, "wx", mode);
    try {
      // Not writeSync: on a full disk it writes what fits, and says so only by a number.
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(written, target);
  } catch (error) {
    if (written !== null) rmSync(written, { force: true });
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    const missing = code === "ENOENT" ? `: it is a link, and the folder it leads to is not there` : "";
    throw new UnderstudyError(
      "config_invalid",
      `${path}: the configuration can't be written (${code})${missing}`,
      {},
      { cause: error },
    );
  }
}

/** What the path leads to, and the mode that it has. */
function findTarget(path: string): { target: string; mode: number } {
  try {
    const target = realpathSync(path);
    return { target, mode: statSync(target).mode & 0o777 };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return { target: followLink(path), mode: 0o600 };
    }
    throw error;
  }
}

/** Where a link leads to that leads to nothing; the path itself when it is none. */
function followLink(path: string): string {
  let link: string;
  try {
    link = readlinkSync(path);
  } catch {
    return path;
  }
  return followLink(resolve(realpathSync(dirname(path)), link));
}
