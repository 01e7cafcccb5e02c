import type { Cooldown } from "../core/cooldown.ts";
import type { Credential } from "./credential.ts";

/**
 * What a provider's pool was at one moment, and all that has changed since, in order. The next record says so anew: it comes when
 * somebody joined or left the pool, when another process wrote, and when the changes have grown as long as the pool.
 */
export interface PoolRecord {
  /** By priority, then id. Never changed. */
  readonly members: readonly Credential[];
  /** Those of this provider. Never changed. */
  readonly cooldowns: readonly Cooldown[];
  /** Grows. */
  readonly changes: readonly PoolChange[];
  /** The record that this one says anew, with all its changes; null when something else has changed, too. */
  follows: PoolRecord | null;
}

export type PoolChange =
  /** A member as it stands now: with another grant or, where that is told, used once more. */
  | { readonly credential: Credential }
  /** All cooldowns of one credential as they stand now; of "" those that concern everybody. */
  | { readonly credentialId: string; readonly cooldowns: readonly Cooldown[] };

/** The pool as it was after so many changes. Linear. */
export function replayRecord(
  { members, cooldowns, changes }: PoolRecord,
  count: number,
): { members: readonly Credential[]; cooldowns: readonly Cooldown[] } {
  if (count === 0) return { members, cooldowns };
  const byId = new Map(members.map((credential) => [credential.id, credential]));
  const byCredential = groupCooldowns(cooldowns);
  for (const change of changes.slice(0, count)) {
    if ("credential" in change) byId.set(change.credential.id, change.credential);
    else byCredential.set(change.credentialId, change.cooldowns);
  }
  return { members: [...byId.values()], cooldowns: [...byCredential.values()].flat() };
}

/** Cooldowns by the credential that they concern; "" stands for everybody. */
export function groupCooldowns(cooldowns: readonly Cooldown[]): Map<string, readonly Cooldown[]> {
  return Map.groupBy(cooldowns, ({ credentialId }) => credentialId);
}
