import type { Cooldown } from "../../core/cooldown.ts";
import type { Credential } from "../../credentials/credential.ts";
import { groupCooldowns, type PoolChange, type PoolRecord } from "../../credentials/pool-record.ts";
import type { Store } from "../../credentials/store.ts";
import type { Clock } from "../../core/clock.ts";
import { type CooldownRow, failuresRememberedMs, toCooldown } from "../cooldown-row.ts";
import { type CredentialRow, type RowMapper, wholeMs } from "../credential-row.ts";
import type { Connection } from "./connection.ts";
import type { PendingUses } from "./uses.ts";

/** Keeps what turns read of the store, so that none of them reads it anew. Uses are told where somebody orders by them: they come with each turn. */
export interface PoolRecords extends Required<Pick<Store, "readPool" | "listCooldownsOf">> {
  /** A use was counted. */
  used(id: string, at: number): void;
  /** To be called after a commit that has changed nothing but this credential and its cooldowns. */
  changed(id: string): void;
  /** To be called after a commit that has changed nothing but these cooldowns. */
  rested(provider: string, credentialId: string): void;
}

interface Kept {
  readonly stamp: number;
  /** True once somebody wanted to be told of uses. */
  readonly tellsUses: boolean;
  record: PoolRecord & { readonly changes: PoolChange[] };
  readonly members: Map<string, Credential>;
  readonly cooldowns: Map<string, readonly Cooldown[]>;
}

/** A record with more changes than this, and than it has members, is written anew. */
const mostChanges = 512;

const none: readonly Cooldown[] = [];

export function createPoolRecords(
  { statement, readSoon, untoldStamp }: Connection,
  mapper: RowMapper,
  uses: PendingUses,
  clock: Clock,
): PoolRecords {
  const members = statement("SELECT * FROM credential WHERE provider = ? ORDER BY priority, id");
  const member = statement("SELECT * FROM credential WHERE id = ?");
  const cooldowns = statement("SELECT * FROM cooldown WHERE provider = ? ORDER BY credential_id, model");
  const cooldownsOf = statement("SELECT * FROM cooldown WHERE provider = ? AND credential_id = ? ORDER BY model");
  const kept = new Map<string, Kept>();
  /** Whose pool a credential is in. */
  const providers = new Map<string, string>();

  function readKept(provider: string, tellsUses: boolean): Kept {
    const stamp = untoldStamp();
    let one = kept.get(provider);
    if (one?.stamp !== stamp || (tellsUses && !one.tellsUses)) {
      one = readAnew(provider, stamp, tellsUses || one?.tellsUses === true);
      kept.set(provider, one);
    } else if (one.record.changes.length > Math.max(mostChanges, one.members.size)) {
      const { record } = one;
      // A chain of all records there have ever been would never be let go of.
      record.follows = null;
      one.record = {
        members: [...one.members.values()],
        cooldowns: [...one.cooldowns.values()].flat(),
        changes: [],
        follows: record,
      };
    }
    return one;
  }

  function readAnew(provider: string, stamp: number, tellsUses: boolean): Kept {
    const rows = members().all(provider) as unknown as CredentialRow[];
    const all = rows.map((row) => uses.overlay(mapper.toCredential(row)));
    for (const { id } of all) providers.set(id, provider);
    const resting = (cooldowns().all(provider) as unknown as CooldownRow[]).map(toCooldown);
    return {
      stamp,
      tellsUses,
      record: { members: all, cooldowns: resting, changes: [], follows: null },
      members: new Map(all.map((one) => [one.id, one])),
      cooldowns: groupCooldowns(resting),
    };
  }

  /** What can't be told is read anew by the next turn. */
  function tell(provider: string, work: (one: Kept) => void): void {
    const one = kept.get(provider);
    if (one === undefined) return;
    try {
      work(one);
    } catch {
      kept.delete(provider);
    }
  }

  function setMember(one: Kept, credential: Credential): void {
    one.members.set(credential.id, credential);
    one.record.changes.push({ credential });
  }

  function readCooldowns(one: Kept, provider: string, credentialId: string): void {
    const now = (cooldownsOf().all(provider, credentialId) as unknown as CooldownRow[]).map(toCooldown);
    if (now.length === 0) one.cooldowns.delete(credentialId);
    else one.cooldowns.set(credentialId, now);
    one.record.changes.push({ credentialId, cooldowns: now });
  }

  return {
    readPool: (provider, tellsUses) => readSoon(() => readKept(provider, tellsUses).record),

    listCooldownsOf: (provider, credentialId) =>
      readSoon(() => {
        const { cooldowns: known } = readKept(provider, false);
        const own = known.get(credentialId) ?? none;
        const shared = known.get("") ?? none;
        if (own.length + shared.length === 0) return none;
        const after = clock.now() - failuresRememberedMs;
        return [...shared, ...own].filter(({ until }) => until > after);
      }),

    used(id, at) {
      const provider = providers.get(id);
      const one = provider === undefined ? undefined : kept.get(provider);
      if (one?.tellsUses !== true) return;
      const known = one.members.get(id);
      if (known === undefined) return;
      const lastUsedAt = Math.max(known.lastUsedAt, wholeMs(at));
      setMember(one, { ...known, uses: known.uses + 1, lastUsedAt });
    },

    changed(id) {
      const provider = providers.get(id);
      if (provider === undefined) return;
      tell(provider, (one) => {
        const row = member().get(id) as CredentialRow | undefined;
        if (row === undefined) return;
        setMember(one, uses.overlay(mapper.toCredential(row)));
        readCooldowns(one, provider, id);
      });
    },

    rested: (provider, credentialId) => tell(provider, (one) => readCooldowns(one, provider, credentialId)),
  };
}
