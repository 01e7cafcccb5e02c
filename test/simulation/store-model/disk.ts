import type { Cooldown } from "../../../src/core/cooldown.ts";
import type { TurnRecord } from "../../../src/core/events.ts";
import type { Credential } from "../../../src/credentials/credential.ts";

/** The right to spend one refresh token, as it stands in the store. */
export interface Claim {
  readonly owner: string;
  /** Unix ms. */
  readonly since: number;
  /** Unix ms. */
  readonly deadline: number;
}

export interface Row {
  readonly credential: Credential;
  readonly claim: Claim | null;
}

/** Everything that a store holds at one moment. Never changed in place, so that a moment can be kept. */
export interface Content {
  /** By priority, then id. */
  readonly rows: readonly Row[];
  readonly cooldowns: readonly Cooldown[];
  /** The oldest first. */
  readonly turns: readonly TurnRecord[];
}

/**
 * What the processes share. `content` is what everybody sees; `durable` is what a power cut leaves of it. A write that is
 * not synced stays in memory until the next one that is: a log is synced as a whole.
 */
export class Disk {
  content: Content = { rows: [], cooldowns: [], turns: [] };
  durable: Content = this.content;
  /** Called after each change of `durable`. */
  onDurable: ((before: Content, after: Content) => void) | null = null;
  #made = 0;

  /** Ids in the order of their making: the same seed gives the same ids. */
  nextId(): string {
    this.#made += 1;
    return `c-${String(this.#made).padStart(3, "0")}`;
  }

  write(content: Content, synced: boolean): void {
    this.content = content;
    if (synced) this.sync();
  }

  sync = (): void => {
    const before = this.durable;
    if (before === this.content) return;
    this.durable = this.content;
    this.onDurable?.(before, this.durable);
  };

  /** The machine loses power. */
  loseMemory(): void {
    this.content = this.durable;
  }
}

export function findRow(content: Content, id: string): Row | undefined {
  return content.rows.find((row) => row.credential.id === id);
}

/** `content` with this row in place of the one with its id, or added. */
export function withRow(content: Content, row: Row): Content {
  const others = content.rows.filter((other) => other.credential.id !== row.credential.id);
  return { ...content, rows: [...others, row].sort(byPriority) };
}

function byPriority(a: Row, b: Row): number {
  return a.credential.priority - b.credential.priority || (a.credential.id < b.credential.id ? -1 : 1);
}
