import type { Clock } from "../core/clock.ts";
import { UnderstudyError } from "../core/error.ts";
import type { CooldownRow } from "./cooldown-row.ts";
import { type CredentialRow, labelKey, resealRow } from "./credential-row.ts";
import type { StoreTables, StoreTools, TurnRow } from "./store-tools.ts";

export interface CopyOptions {
  /** False: the target must be empty. True: what is in it stays, and the rules below say who wins. */
  readonly merge: boolean;
  readonly clock: Clock;
  /** Tells whether the owner of a standing claim is certainly dead. */
  readonly isDead: (owner: string) => boolean;
}

/** What has become of what was in the source. */
export interface CopyCounts {
  readonly added: number;
  /** Took the place of an older state of the same credential. */
  readonly replaced: number;
  /** The target knew the same or better. */
  readonly kept: number;
  readonly cooldowns: number;
  readonly turns: number;
}

/**
 * Brings everything of one store into another: credentials with ids, labels, order, generations, marks and counts, cooldowns, journal.
 * Secrets are sealed anew with the target's key. Nothing is sent anywhere and nothing in the source changes. The target
 * gets all of it in one transaction or, if it fails, nothing.
 *
 * - A refresh that is under way in the source is waited for: a token that is being spent must not be copied. Of a claim whose owner
 *   is dead or whose deadline is over, the outcome is copied as unknown.
 * - Merging: a credential is the same by id, or by provider, account and user. Of two states the one with the higher
 *   generation wins, else the one obtained later, else the target's. A label that is taken gets a number.
 * - Of two cooldowns the later end wins (rule R5). Turns are put in the order in which they ended.
 *
 * Throws `usage` when the target is not empty and `merge` is false. Afterwards both stores hold the same single-use tokens:
 * from then on only one of them may be used.
 */
export async function copyStore(from: StoreTools, to: StoreTools, options: CopyOptions): Promise<CopyCounts> {
  const source = await readAtRest(from, options);
  const credentials = source.credentials.map(plainRow);
  const reseal: Reseal = (row, id) => resealRow(row, from.ring, to.ring, from.place, id);
  let counts: CopyCounts = { added: 0, replaced: 0, kept: 0, cooldowns: 0, turns: 0 };
  await to.rewrite((target) => {
    if (!options.merge) refuseUnlessEmpty(target, to.place);
    const merged = mergeCredentials(target.credentials, credentials, reseal);
    const { turns } = source;
    const cooldowns = source.cooldowns.map((row) => {
      return { ...row, credential_id: merged.ids.get(row.credential_id) ?? row.credential_id };
    });
    counts = { ...merged.counts, cooldowns: cooldowns.length, turns: turns.length };
    return {
      credentials: merged.rows,
      cooldowns: mergeCooldowns(target.cooldowns, cooldowns),
      turns: mergeTurns(target.turns, turns),
    };
  });
  return counts;
}

/** How often a standing claim is looked at, and how long for a moment without one, in ms. */
const lookMs = 250;
const patienceMs = 120_000;

/** The source at a moment at which nobody is spending a token. */
async function readAtRest(from: StoreTools, { clock, isDead }: CopyOptions): Promise<StoreTables> {
  const giveUpAt = clock.now() + patienceMs;
  for (;;) {
    const tables = await from.read();
    const now = clock.now();
    const ends = tables.credentials.flatMap(({ claim_owner: owner, claim_deadline: deadline }) =>
      owner === null || isDead(owner) || deadline <= now ? [] : [deadline],
    );
    if (ends.length === 0) return tables;
    if (now >= giveUpAt) {
      throw new UnderstudyError(
        "store_unavailable",
        `a token refresh was under way in ${from.place} whenever it was looked at. Nothing was copied. Stop what uses that store and try again.`,
      );
    }
    await clock.sleep(Math.min(lookMs, Math.max(...ends) - now));
  }
}

/** The columns that every store has. A claim stays behind: it is its owner's, who does not know the target. */
function plainRow(row: CredentialRow): CredentialRow {
  const abandoned =
    row.claim_owner === null ? {} : { unknown_generation: row.generation, unknown_since: row.claim_since };
  const whole: Record<string, unknown> = { ...row, ...abandoned };
  for (const column of Object.keys(whole)) if (column.startsWith("claim_")) delete whole[column];
  return whole as unknown as CredentialRow;
}

function refuseUnlessEmpty({ credentials, cooldowns, turns }: StoreTables, place: string): void {
  if (credentials.length + cooldowns.length + turns.length === 0) return;
  throw new UnderstudyError(
    "usage",
    `the store ${place} is not empty (${credentials.length} credentials, ${turns.length} turns). Nothing was copied. Add --merge to put the other store's content into it, or name an empty one.`,
  );
}

/** The row sealed for the target under this id. */
type Reseal = (row: CredentialRow, id: string) => CredentialRow;

interface Merged {
  readonly rows: readonly CredentialRow[];
  /** What the source's ids are in the target. */
  readonly ids: ReadonlyMap<string, string>;
  readonly counts: Pick<CopyCounts, "added" | "replaced" | "kept">;
}

function mergeCredentials(target: readonly CredentialRow[], source: readonly CredentialRow[], reseal: Reseal): Merged {
  const rows = [...target];
  const ids = new Map<string, string>();
  const counts = { added: 0, replaced: 0, kept: 0 };
  for (const row of source) {
    const at = rows.findIndex((other) => isSame(other, row));
    const standing = rows[at];
    ids.set(row.id, standing?.id ?? row.id);
    if (standing === undefined) {
      rows.push(withFreeLabel(reseal(row, row.id), rows));
      counts.added++;
    } else if (isNewer(row, standing)) {
      rows[at] = inPlaceOf(standing, reseal(row, standing.id));
      counts.replaced++;
    } else {
      counts.kept++;
    }
  }
  return { rows, ids, counts };
}

/** What a person chose in the target stays. */
function inPlaceOf(standing: CredentialRow, row: CredentialRow): CredentialRow {
  const { label, priority, paused, created_at } = standing;
  const generation = row.generation > standing.generation ? row.generation : standing.generation + 1;
  const ofGeneration = (marked: number | null): number | null => (marked === row.generation ? generation : marked);
  return {
    ...withLabel(row, label),
    priority,
    paused,
    created_at,
    // Whoever uses the target has seen its generation: this one must be a later one.
    generation,
    relogin_generation: ofGeneration(row.relogin_generation),
    unknown_generation: ofGeneration(row.unknown_generation),
  };
}

function withLabel(row: CredentialRow, label: string): CredentialRow {
  const columns = { label, label_key: labelKey(label) };
  return { ...row, ...columns };
}

function isSame(one: CredentialRow, other: CredentialRow): boolean {
  return (
    one.id === other.id ||
    (one.kind === "oauth" &&
      other.kind === "oauth" &&
      one.provider === other.provider &&
      one.account_id !== null &&
      one.account_id === other.account_id &&
      one.account_user_id !== null &&
      one.account_user_id === other.account_user_id)
  );
}

function isNewer(row: CredentialRow, than: CredentialRow): boolean {
  if (row.kind !== "oauth" || than.kind !== "oauth") return false;
  if (row.id === than.id && row.generation !== than.generation) return row.generation > than.generation;
  return row.obtained_at > than.obtained_at;
}

function withFreeLabel(row: CredentialRow, others: readonly CredentialRow[]): CredentialRow {
  const taken = new Set(others.filter(({ provider }) => provider === row.provider).map(({ label }) => labelKey(label)));
  for (let n = 1; ; n++) {
    const label = n === 1 ? row.label : `${row.label}-${n}`;
    if (!taken.has(labelKey(label))) return withLabel(row, label);
  }
}

function mergeCooldowns(target: readonly CooldownRow[], source: readonly CooldownRow[]): CooldownRow[] {
  const rows = new Map<string, CooldownRow>();
  for (const row of [...target, ...source]) {
    const key = JSON.stringify([row.provider, row.credential_id, row.model]);
    const standing = rows.get(key);
    const failures = Math.max(row.failures, standing?.failures ?? 0);
    rows.set(key, { ...(standing === undefined || row.until > standing.until ? row : standing), failures });
  }
  return [...rows.values()];
}

function mergeTurns(target: readonly TurnRow[], source: readonly TurnRow[]): TurnRow[] {
  const known = new Set(target.map(({ id }) => id));
  const fresh = source.filter(({ id }) => !known.has(id));
  if (target.length === 0) return fresh;
  const endOf = ({ record }: TurnRow): number => (JSON.parse(record) as { endedAt: number }).endedAt;
  // Stable: those that ended in the same millisecond keep their order.
  return [...target, ...fresh].sort((a, b) => endOf(a) - endOf(b));
}
