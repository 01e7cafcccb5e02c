import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isUnderstudyError, UnderstudyError } from "../core/error.ts";
import type { Store } from "../credentials/store.ts";
import { isDiskInTheWay, locateStore } from "../open-store.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";
import { interruptSignal } from "./interrupt.ts";
import { findHome, loadConfig } from "./load-config.ts";
import { say, scrubLines } from "./output.ts";
import { writeAtOnce } from "./standard-streams.ts";

/** After this long of waiting at the end a person is told what for, in ms. */
const quietCloseMs = 500;

/** Opens this installation for `work` and closes it afterwards, whatever happened. */
export async function withWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
  return closing(await openWorkspace(), work);
}

/**
 * The same for turns, which can do without a store: where there is none yet and none can be made (a read-only home, a full disk), keys of the
 * environment are all that counts anyway. Where there is one that the disk keeps from being used, they can serve all the same. Then a store
 * in the folder for temporary files serves this run, and a line says so.
 */
export async function withWorkspaceForTurns<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
  let workspace: Workspace;
  try {
    workspace = await openWorkspace();
  } catch (error) {
    if (!isUnderstudyError(error, "store_unavailable")) throw error;
    const isKept = await hasStore();
    if (isKept && !isDiskInTheWay(error.cause)) throw error;
    return withPassingStore(error, isKept, work);
  }
  return closing(workspace, work);
}

/** `isKept`: there is a store, with logins that can't be had now. Without any other key what keeps them away is all there is to say. */
async function withPassingStore<T>(
  cause: Error,
  isKept: boolean,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), "understudy-"));
  } catch {
    throw cause;
  }
  try {
    // Its key lies beside it and goes with it.
    const env = { ...process.env, UNDERSTUDY_KEYCHAIN: "off", UNDERSTUDY_KEY: "", UNDERSTUDY_KEY_COMMAND: "" };
    const workspace = await openWorkspace({ env, store: join(folder, "understudy.db") }).catch(() => {
      throw cause;
    });
    if (isKept && !hasUnstored(workspace)) {
      await workspace.close();
      throw cause;
    }
    const without = isKept ? "Without the stored logins and keys" : "Without a store";
    say(`${without}, since ${cause.message} Rests and the journal of this run are forgotten at its end.`);
    return await closing(workspace, work);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** True when a key of the environment is there, or somebody on a route who asks for none. */
function hasUnstored({ config, runtime }: Workspace): boolean {
  const routed = new Set(config.routes.flatMap(({ targets }) => targets.map(({ provider }) => provider)));
  return config.providers.some(({ id }) =>
    runtime.environmentCredentials(id).some(({ source }) => source.from === "env" || routed.has(id)),
  );
}

/** True also for a store on a server. */
async function hasStore(): Promise<boolean> {
  const home = findHome();
  const place = locateStore((await loadConfig(home)).store, home);
  return place.kind !== "sqlite" || existsSync(place.file);
}

/**
 * The same for a command that only reads: where there is no store yet, none is made, and the command sees an empty one. Another one is
 * opened so that nothing in it can change, unless `readOnly` is false.
 */
export async function withWorkspaceToRead<T>(
  work: (workspace: Workspace) => Promise<T>,
  readOnly: boolean = true,
): Promise<T> {
  if (readOnly) writeAtOnce();
  return closing(await openWorkspace({ readOnly }, emptyStore), work);
}

async function closing<T>(workspace: Workspace, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  try {
    for (const warning of workspace.config.warnings) say(warning);
    return await work(workspace);
  } finally {
    const timer = setTimeout(() => {
      const again = interruptSignal.aborted ? "; Ctrl-C again leaves at once" : "";
      say(`waiting for what must not be lost: a token refresh, or the last lines of the journal${again}`);
    }, quietCloseMs);
    try {
      await workspace.close();
    } catch (error) {
      // The work is done or has failed by itself; what is lost here is a line of the journal or a count.
      say(
        `not everything could be written: ${error instanceof Error ? scrubLines(error.message) : "the store is busy"}`,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

function refuseToWrite(): Promise<never> {
  return Promise.reject(new UnderstudyError("store_unavailable", "there is no store yet"));
}

const emptyStore: Store = {
  listCredentials: () => Promise.resolve([]),
  getCredential: () => Promise.resolve(null),
  addApiKey: refuseToWrite,
  saveLogin: refuseToWrite,
  updateCredential: () => Promise.resolve(null),
  removeCredential: () => Promise.resolve(false),
  recordUse: refuseToWrite,
  claimRefresh: refuseToWrite,
  settleAnswered: refuseToWrite,
  settleRefused: refuseToWrite,
  releaseClaim: refuseToWrite,
  settleUnknown: refuseToWrite,
  listCooldowns: () => Promise.resolve([]),
  putCooldown: refuseToWrite,
  clearCooldowns: () => Promise.resolve(0),
  appendTurn: refuseToWrite,
  listTurns: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
