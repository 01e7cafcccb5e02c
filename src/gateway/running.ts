import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import type { UnderstudyHome } from "../platform/home.ts";
import { isOwnerDead, processOwner } from "../platform/process-identity.ts";
import { makePrivateFolder } from "../stores/private-file.ts";

const lookMs = 1_000;

/** Notes in the data folder that a gateway of this installation runs at `url`. Returns how to take the note back. */
export function noteRunning(home: UnderstudyHome, url: string): () => void {
  const file = noteFile(home);
  const note = JSON.stringify({ url, owner: processOwner() });
  makePrivateFolder(home.dataDir);
  writeFileSync(`${file}.${process.pid}`, note, { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
  return () => {
    // Another gateway may have written its own since.
    if (readNote(file) === note) rmSync(file, { force: true });
  };
}

/** The URL of the gateway of this installation that runs now and takes turns; null when there is none. */
export async function findRunning(home: UnderstudyHome): Promise<string | null> {
  try {
    const { url, owner } = JSON.parse(readNote(noteFile(home)) ?? "") as { url?: unknown; owner?: unknown };
    if (typeof url !== "string" || typeof owner !== "string" || isOwnerDead(owner)) return null;
    return (await isReady(url)) ? url : null;
  } catch {
    return null;
  }
}

function noteFile(home: UnderstudyHome): string {
  return join(home.dataDir, "gateway.json");
}

function readNote(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function isReady(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/ready`, { agent: false, timeout: lookMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
