import { statSync } from "node:fs";
import type { CacheFiles } from "./platform/cache-files.ts";
import type { KeyMemory } from "./stores/key-ring.ts";
import { readPointer } from "./stores/key-place.ts";
import { nextKeyFile } from "./stores/rekey.ts";

interface Kept {
  /** The key files, as the system tells them from any other. */
  readonly files: string;
  /** The key check they opened, sealed as it stands in the store. */
  readonly check: string;
}

const cacheName = "key-check";

/**
 * Remembers in `cache` that what lies in `keyFile` opened a store's key check. Of the file it keeps no word, only what the system says
 * of it: whoever changes it changes that, too. Null for a key in the system's keychain, of which the file says nothing. Make it before
 * the keys are read.
 */
export function createKeyMemory(cache: CacheFiles, keyFile: string): KeyMemory | null {
  const places = [keyFile, nextKeyFile(keyFile)];
  if (places.some((place) => readPointer(place) !== null)) return null;
  const files = places.map(identityOf).join("; ");
  return {
    knows(check) {
      const kept = cache.read(cacheName) as Partial<Kept> | null;
      return kept?.files === files && kept.check === toHex(check);
    },
    note: (check) => cache.write(cacheName, { files, check: toHex(check) } satisfies Kept),
  };
}

function toHex(check: Uint8Array): string {
  return Buffer.from(check).toString("hex");
}

/** The time of change is in it, which nobody can set. */
function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "none" : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
}
