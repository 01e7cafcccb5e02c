import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Small JSON files that may be lost at any time: what providers said of their models and of an account's windows. Each file is
 * replaced as a whole, so a reader never sees half of one; of two writers the later wins. No secret goes in.
 */
export interface CacheFiles {
  /** The value, or null when there is none that can be read. */
  read(name: string): unknown;
  /** Best effort: a full disk costs the cache, nothing else. */
  write(name: string, value: unknown): void;
  remove(name: string): void;
}

/** The cache below `folder`, which is made 0700 at the first write. Names may hold anything: they are escaped. */
export function openCacheFiles(folder: string): CacheFiles {
  const pathOf = (name: string): string => join(folder, `${encodeURIComponent(name)}.json`);
  return {
    read(name) {
      try {
        return JSON.parse(readFileSync(pathOf(name), "utf8")) as unknown;
      } catch {
        return null;
      }
    },
    write(name, value) {
      const path = pathOf(name);
      const temporary = `${path}.${process.pid}-${chance()}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(temporary, JSON.stringify(value), { mode: 0o600, flag: "wx" });
        renameSync(temporary, path);
      } catch {
        rmSync(temporary, { force: true });
      }
    },
    remove(name) {
      rmSync(pathOf(name), { force: true });
    },
  };
}

/** Loads what it needs at the first write: most starts write nothing. */
function chance(): string {
  return process.getBuiltinModule("node:crypto").randomBytes(4).toString("hex");
}

/** A cache that keeps nothing. */
export const noCacheFiles: CacheFiles = { read: () => null, write: () => {}, remove: () => {} };
