import { type Clock, systemClock } from "../../core/clock.ts";
import { UnderstudyError } from "../../core/error.ts";
import type { Store } from "../../credentials/store.ts";
import { createRowMapper } from "../credential-row.ts";
import { followKey } from "../follow-key.ts";
import { createKeyRing, type KeyRing, type StoreKeys } from "../key-ring.ts";
import { checkJournalLimits, type JournalLimits } from "../journal-limits.ts";
import { createWriteBehind } from "../write-behind.ts";
import { parsePostgresAddress } from "./address.ts";
import { type Connection, createConnection } from "./connection.ts";
import { createCooldownMethods } from "./cooldowns.ts";
import { createCredentialMethods } from "./credentials.ts";
import { limitsFor, loadDriver } from "./driver.ts";
import { closedError } from "./errors.ts";
import { createJournal } from "./journal.ts";
import { createPresence } from "./presence.ts";
import { type ClaimTime, createRefreshMethods } from "./refresh.ts";
import { adoptKey, checkVersion, migrate, readKeyCheck, readVersion } from "./schema.ts";
import { createPendingUses } from "./uses.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`; see `parsePostgresAddress`. */
  readonly address: string;
  /** The key that seals the secrets: 32 bytes. Or where to find those that it may be. */
  readonly key: StoreKeys;
  /** Tells which cooldowns are long over. Default: the machine's clock. */
  readonly clock?: Clock;
  /** What the journal keeps. Default 10,000 turns, however old. */
  readonly journal?: Partial<JournalLimits>;
  /** How long a call may take, in ms. Default 5,000. A call during an outage fails at once. */
  readonly callMs?: number;
  /** Default `database`. */
  readonly claimTime?: ClaimTime;
}

const defaultCallMs = 5_000;
/** For what handles a whole store. */
export const toolCallMs = 60_000;

/**
 * Opens the store in a PostgreSQL database. Any number of processes on any number of machines may have it open.
 *
 * Throws `store_unavailable` when it can't be reached, has no tables (`understudy store migrate` makes them) or does not belong
 * to the key; `store_newer` when a newer version wrote it; `config_invalid` for a wrong option or a missing driver.
 *
 * Over a network it can't be known of every write whether it was done: a call that rejects with `store_unavailable` may have
 * been. Each may be made again: a settled generation, a kept turn and a released claim are so once.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { clock = systemClock, claimTime = "database" } = options;
  const journal = checkJournalLimits(options.journal);
  const { connection, ring } = await connect(options);
  try {
    const { name } = connection.address;
    await connection.run(async (sql) => {
      checkVersion(await readVersion(sql, name), name);
      await adoptKey(sql, name, ring);
    });
    const store = createStore(connection, ring, clock, journal, claimTime);
    return followKey(store, ring, name, () => connection.run((sql) => readKeyCheck(sql, name)));
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Makes the tables of a PostgreSQL store or brings them up to date. Gives the version before (0: there were none) and after.
 * Processes of an older version that have the store open are refused from then on.
 */
export async function migratePostgresStore(
  options: Pick<PostgresStoreOptions, "address" | "key" | "callMs">,
): Promise<{ from: number; to: number }> {
  const { connection, ring } = await connect({ callMs: toolCallMs, ...options });
  try {
    return await migrate(connection, ring);
  } finally {
    await connection.close();
  }
}

/** The connections to the store, and its keys. Nothing is asked of the server yet. */
export async function connect(
  options: Pick<PostgresStoreOptions, "address" | "key" | "callMs">,
): Promise<{ connection: Connection; ring: KeyRing }> {
  const address = parsePostgresAddress(options.address);
  const ring = await createKeyRing(options.key);
  const connection = createConnection(await loadDriver(), address, limitsFor(options.callMs ?? defaultCallMs));
  return { connection, ring };
}

function createStore(
  connection: Connection,
  ring: KeyRing,
  clock: Clock,
  limits: JournalLimits,
  claimTime: ClaimTime,
): Store {
  const { name } = connection.address;
  const mapper = createRowMapper(ring, name);
  const uses = createPendingUses(connection);
  const journal = createJournal(connection, limits, clock);
  const presence = createPresence(connection, () => void lookAtVersion());
  const behind = createWriteBehind(
    () => uses.size + journal.size,
    async () => {
      await uses.write();
      await journal.write();
    },
  );
  let closed: Promise<void> | null = null;

  /** A newer process may have migrated the store under this one. */
  async function lookAtVersion(): Promise<void> {
    try {
      checkVersion(await connection.run((sql) => readVersion(sql, name)), name);
    } catch (error) {
      if (error instanceof UnderstudyError && error.code === "store_newer") connection.refuse(error);
    }
  }

  async function writeLater(add: () => void): Promise<void> {
    if (closed !== null) throw closedError(name);
    add();
    behind.touch();
  }

  async function stopAndClose(): Promise<void> {
    try {
      await behind.stop();
    } finally {
      await Promise.all([presence.close(), connection.close()]);
    }
  }

  return {
    ...createCredentialMethods(connection, ring, mapper, uses),
    ...createRefreshMethods(connection, presence, ring, mapper, claimTime),
    ...createCooldownMethods(connection, clock),
    recordUse: (id, at) => writeLater(() => uses.add(id, at)),
    appendTurn: (turn) => writeLater(() => journal.add(turn)),
    listTurns: journal.listTurns,
    subscribe: presence.subscribe,
    close: () => (closed ??= stopAndClose()),
  };
}
