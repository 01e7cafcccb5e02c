import { statSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { understudyHome } from "./home.ts";

/**
 * Lets Node keep the compiled code of this program beside the store, so that the next start need not compile it again. Only in a
 * folder that is there already, belongs to this user and can be written by nobody else: whoever could write there could have any code
 * run. So never in the folder for temporary files, which is where Node itself would put it. Without the cache everything works
 * just as well. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` still decide.
 */
export function keepCompiledCode(): void {
  try {
    const { dataDir } = understudyHome(process.env);
    const folder = statSync(dataDir);
    const isOwn = process.getuid === undefined || folder.uid === process.getuid();
    if (isOwn && (folder.mode & 0o022) === 0) enableCompileCache(join(dataDir, "cache", "compiled"));
  } catch {
    // No folder, no cache.
  }
}
