import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import { isUnderstudyError } from "../core/error.ts";
import type { Workspace } from "../workspace.ts";

/** How often the file is looked at, in ms. A look is one stat: it sees editors that replace files, and files that come and go. */
const everyMs = 1_000;

/**
 * Reads the configuration again whenever its file changes. A broken one changes nothing and is told. Returns how to stop.
 * Credentials need no watching: every turn reads them from the store.
 */
export function watchConfig(workspace: Workspace, onNotice: (line: string) => void): () => void {
  const file = workspace.home.configFile;
  const onChange: StatsListener = (now, before) => {
    if (now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino) return;
    void reloadConfig(workspace, onNotice);
  };
  watchFile(file, { interval: everyMs, persistent: false }, onChange);
  return () => unwatchFile(file, onChange);
}

/** Reads the configuration now; says what came of it. Never rejects. */
export async function reloadConfig(workspace: Workspace, onNotice: (line: string) => void): Promise<boolean> {
  const { store } = workspace.config;
  try {
    await workspace.reload();
  } catch (error) {
    const message = isUnderstudyError(error) ? error.message : String(error);
    onNotice(`the configuration changed and can't be used; the one before stays in force: ${message}`);
    return false;
  }
  onNotice("the configuration was read again");
  for (const warning of workspace.config.warnings) onNotice(warning);
  if (workspace.config.store !== store) onNotice("another store is named in it: that takes a restart");
  return true;
}
