import type { Credential } from "../../credentials/credential.ts";
import type { Connection } from "./connection.ts";
import { wholeMs } from "../credential-row.ts";

/** Uses that are counted but not written yet. */
export interface PendingUses {
  readonly size: number;
  add(id: string, at: number): void;
  /** The credential with its pending uses added, so that selection in this process sees them at once. */
  readonly overlay: <T extends Credential>(credential: T) => T;
  /** Writes them, inside a transaction; `clear` after its commit. */
  write(): void;
  clear(): void;
  forget(id: string): void;
}

export function createPendingUses({ statement }: Connection): PendingUses {
  const pending = new Map<string, { count: number; lastUsedAt: number }>();
  const update = statement("UPDATE credential SET uses = uses + ?, last_used_at = max(last_used_at, ?) WHERE id = ?");
  return {
    get size() {
      return pending.size;
    },
    add(id, at) {
      const use = pending.get(id);
      const lastUsedAt = wholeMs(at);
      if (use === undefined) {
        pending.set(id, { count: 1, lastUsedAt });
        return;
      }
      use.count += 1;
      if (lastUsedAt > use.lastUsedAt) use.lastUsedAt = lastUsedAt;
    },
    overlay(credential) {
      const use = pending.get(credential.id);
      if (use === undefined) return credential;
      return {
        ...credential,
        uses: credential.uses + use.count,
        lastUsedAt: Math.max(credential.lastUsedAt, use.lastUsedAt),
      };
    },
    write() {
      for (const [id, use] of pending) update().run(use.count, use.lastUsedAt, id);
    },
    clear() {
      pending.clear();
    },
    forget(id) {
      pending.delete(id);
    },
  };
}
