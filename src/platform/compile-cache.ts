import { statSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { understudyHome } from "./home.ts";

/**
 * Where the compiled code of this program may be kept, beside the store: only in a folder that is there already, belongs to this user and
 * can be written by nobody else, since whoever could write there could have any code run. So never in the folder for temporary files,
 * which is where Node itself would put it. Null where there is no such folder: everything works just as well without.
 */
export function findCompiledFolder(): string | null {
  try {
    const { dataDir } = understudyHome(process.env);
    const folder = statSync(dataDir);
    const isOwn = process.getuid === undefined || folder.uid === process.getuid();
    return isOwn && (folder.mode & 0o022) === 0 ? join(dataDir, "cache", "compiled") : null;
  } catch {
    // No folder, no cache.
    return null;
  }
}

/** Lets Node keep the code it compiles in `folder`, for the next start. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` still decide. */
export function keepCompiledCode(folder: string): void {
  enableCompileCache(folder);
}

/** True when it has been decided outside where compiled code is kept, or that none is. */
export function isCompileCacheChosen(): boolean {
  return [process.env["NODE_COMPILE_CACHE"], process.env["NODE_DISABLE_COMPILE_CACHE"]].some(
    (value) => value !== undefined && value !== "",
  );
}
