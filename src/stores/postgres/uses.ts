import type { Credential } from "../../credentials/credential.ts";
import { wholeMs } from "../credential-row.ts";
import type { Connection } from "./connection.ts";

/** Uses that are counted but not written yet. */
export interface PendingUses {
  readonly size: number;
  add(id: string, at: number): void;
  /** The credential with its pending uses added, so that selection in this process sees them at once. */
  readonly overlay: <T extends Credential>(credential: T) => T;
  /** Writes them, one credential at a time; what could not be written stays pending. */
  write(): Promise<void>;
  forget(id: string): void;
}

interface Use {
  readonly count: number;
  readonly lastUsedAt: number;
}

export function createPendingUses({ run }: Connection): PendingUses {
  const pending = new Map<string, Use>();

  return {
    get size() {
      return pending.size;
    },
    add(id, at) {
      const { count = 0, lastUsedAt = 0 } = pending.get(id) ?? {};
      pending.set(id, { count: count + 1, lastUsedAt: Math.max(lastUsedAt, wholeMs(at)) });
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
    async write() {
      for (const [id, { count, lastUsedAt }] of Array.from(pending)) {
        await run(
          (sql) => sql`
            UPDATE credential SET uses = uses + ${count}, last_used_at = greatest(last_used_at, ${lastUsedAt}::bigint)
            WHERE id = ${id}`,
        );
        // More may have come while these were written.
        const rest = (pending.get(id)?.count ?? 0) - count;
        if (rest > 0) pending.set(id, { count: rest, lastUsedAt: pending.get(id)?.lastUsedAt ?? lastUsedAt });
        else pending.delete(id);
      }
    },
    forget(id) {
      pending.delete(id);
    },
  };
}
