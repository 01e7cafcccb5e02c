import type { Cooldown } from "../core/cooldown.ts";
import type { TurnRecord } from "../core/events.ts";
import type { Soon } from "../core/soon.ts";
import type {
  Account,
  ApiKeyCredential,
  Credential,
  Grant,
  KeySource,
  OAuthCredential,
  ReloginMark,
} from "./credential.ts";
import type { PoolRecord } from "./pool-record.ts";

/**
 * The one place where state lives. SQLite and PostgreSQL stand behind this port; `test/contract/store.ts` is the
 * suite that both pass.
 *
 * Every method is one transaction: it happens as a whole or not at all, for all processes that share the store. Every
 * method that writes resolves only after the write is durable, unless it says otherwise. A store that can't be read or
 * written rejects with `UnderstudyError` `store_unavailable` and has changed nothing; it throws at once nowhere, also where what is
 * known at once is given without a promise (`Soon`).
 */
export interface Store {
  // Credentials ------------------------------------------------------------------------------------------------------

  /**
   * The pool of one provider with all that concerns it, kept between calls: the same record as before, with more changes, as long as
   * nobody joined or left. What another process has changed may be missing for some milliseconds: whoever must know asks for the credential.
   * `tellsUses`: its changes tell of uses, too; without it the counts of its members are of whenever they were read. A store that has to ask
   * somebody else each time lacks the method.
   */
  readPool?(provider: string, tellsUses: boolean): Soon<PoolRecord>;
  /** All credentials, or those of one provider, by priority then id. Spends nothing (rule R9). */
  listCredentials(provider?: string): Promise<Credential[]>;
  getCredential(id: string): Promise<Credential | null>;
  /** Adds an API key at the end of its provider's pool. Rejects with `usage` if the label is taken. */
  addApiKey(input: NewApiKey): Promise<ApiKeyCredential>;
  /**
   * Stores a fresh login. If a credential of the same provider and account exists (`account.id` and `account.userId` both known and
   * equal), its grant is replaced in place: same id and label, generation + 1, relogin mark, unknown outcome, claim and
   * its cooldowns cleared. Otherwise a new credential is added at the end of the pool. `replaces` names the credential to
   * replace whatever the account says. Returns what stands there now and the grant it replaced.
   */
  saveLogin(input: NewLogin): Promise<{ credential: OAuthCredential; replaced: Grant | null }>;
  /** Changes what a person chose. Resolves to null when there is no such credential. */
  updateCredential(id: string, change: CredentialChange): Promise<Credential | null>;
  /** Removes the credential with everything kept about it. False when there was none. */
  removeCredential(id: string): Promise<boolean>;
  /** Counts an attempt. May be written later and may be lost in a crash: only selection reads it. */
  recordUse(id: string, at: number): Soon<void>;

  // Refresh: see keeper.ts for the protocol ---------------------------------------------------------------------------

  /**
   * Claims the right to spend the refresh token of `generation`, durably, before it is spent. At most one live claim
   * exists per credential over all processes.
   */
  claimRefresh(request: ClaimRequest): Promise<ClaimResult>;
  /**
   * Makes an answered refresh durable: compare-and-swap on the generation, whoever holds the claim. False when
   * `generation` is no longer the current one: then nothing is changed.
   */
  settleAnswered(id: string, generation: number, grant: NewGrant, account: Account | null): Promise<boolean>;
  /** Notes that only a new sign-in helps, if `mark.generation` is still current. Releases the claim. */
  settleRefused(id: string, mark: ReloginMark): Promise<boolean>;
  /** Releases `owner`'s claim without a verdict: refused for now, or never sent. */
  releaseClaim(id: string, generation: number, owner: string): Promise<void>;
  /** Releases `owner`'s claim and notes that the outcome of spending `generation` is not known. */
  settleUnknown(id: string, generation: number, owner: string, since: number): Promise<void>;

  // Cooldowns --------------------------------------------------------------------------------------------------------

  /** All cooldowns that may still matter: those not over, and those whose failure count still grows the next one. */
  listCooldowns(provider?: string): Promise<Cooldown[]>;
  /** Of these, those that concern one credential of a provider: its own, and everybody's. A store that reads them all lacks the method. */
  listCooldownsOf?(provider: string, credentialId: string): Soon<readonly Cooldown[]>;
  /**
   * Writes a cooldown. Rule R5 is kept here too, for two processes at once: of the stored and the given one the later
   * `until` wins. Turns of other processes see it within 25 ms, all else at once, and it outlives them; a power cut may lose the last ones.
   */
  putCooldown(cooldown: Cooldown): Promise<void>;
  /**
   * Clears cooldowns: of one credential, of one provider, or all. `model` narrows it, and so does `setBefore` (Unix ms): a
   * failure that came at that time or later keeps its cooldown, whoever writes it when (rule R5). Returns how many.
   */
  clearCooldowns(filter: {
    provider?: string;
    credentialId?: string;
    model?: string;
    setBefore?: number;
  }): Promise<number>;

  // Journal ----------------------------------------------------------------------------------------------------------

  /** Appends a turn and forgets the oldest beyond the limit. May be written later; only a crash loses it. */
  appendTurn(turn: TurnRecord): Soon<void>;
  /** The newest turns first. */
  listTurns(limit: number): Promise<TurnRecord[]>;

  // ------------------------------------------------------------------------------------------------------------------

  /**
   * Calls `listener` when something may have changed, by whatever process; what it is, only reading says. Hints may come
   * twice or get lost. The returned function ends it. A store that has no hints lacks the method.
   */
  subscribe?(listener: (hint: StoreHint) => void): () => void;

  /** Waits for what is still to be written, then lets go of the files or connections. */
  close(): Promise<void>;
}

/** What may have changed. `reconnected`: hints were lost, so anything may have. */
export type StoreHint = "credentials" | "cooldowns" | "reconnected";

export interface NewApiKey {
  readonly provider: string;
  readonly label: string;
  readonly source: KeySource;
  /** Unix ms. */
  readonly at: number;
}

/** A token pair without its number: the store gives the generation. */
export type NewGrant = Omit<Grant, "generation">;

export interface NewLogin {
  readonly provider: string;
  /** Used for a new credential; an existing one keeps its label. Made unique by a number if taken. */
  readonly label: string;
  readonly account: Account;
  readonly grant: NewGrant;
  readonly replaces?: string;
  /** Unix ms. */
  readonly at: number;
}

export interface CredentialChange {
  readonly label?: string;
  readonly priority?: number;
  readonly paused?: boolean;
}

export interface ClaimRequest {
  readonly credentialId: string;
  readonly generation: number;
  /** Who claims: see `Owner` in keeper.ts. */
  readonly owner: string;
  /** Unix ms. */
  readonly now: number;
  /** Unix ms after which anybody may take the claim over. Later than the limit of the HTTP call. */
  readonly deadline: number;
  /** Tells whether the owner of a standing claim is certainly dead. */
  readonly isDead: (owner: string) => boolean;
  /** True to spend a generation once more whose outcome is unknown. */
  readonly replay: boolean;
}

export type ClaimResult =
  /** The caller may spend the token now. */
  | { readonly outcome: "claimed"; readonly credential: OAuthCredential }
  /** Somebody else is spending it. `until` is the claim's deadline. */
  | { readonly outcome: "held"; readonly until: number }
  /**
   * A claim stood there whose owner is dead or whose deadline is over: it is turned into an unknown outcome. The
   * caller decides whether to replay.
   */
  | { readonly outcome: "unknown"; readonly credential: OAuthCredential }
  /** The stored generation is another one, or carries a relogin mark: read `credential`. */
  | { readonly outcome: "superseded"; readonly credential: OAuthCredential }
  | { readonly outcome: "gone" };
