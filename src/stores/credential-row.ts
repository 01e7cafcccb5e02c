import { UnderstudyError } from "../core/error.ts";
import { Secret } from "../core/secret.ts";
import type { Account, Credential, Grant, KeySource, OAuthCredential } from "../credentials/credential.ts";
import type { NewGrant } from "../credentials/store.ts";
import { type Sealer, SealError } from "./seal.ts";

/** A row of the table `credential`, which has the same columns in every store. */
export interface CredentialRow {
  readonly id: string;
  readonly provider: string;
  readonly label: string;
  readonly kind: "api_key" | "oauth";
  readonly priority: number;
  readonly paused: number;
  readonly created_at: number;
  readonly uses: number;
  readonly last_used_at: number;
  readonly source: string | null;
  readonly secret: Uint8Array | null;
  readonly account_id: string | null;
  readonly account_user_id: string | null;
  readonly account_email: string | null;
  readonly account_plan: string | null;
  readonly generation: number;
  readonly access_token: Uint8Array;
  readonly refresh_token: Uint8Array | null;
  readonly id_token: Uint8Array | null;
  readonly expires_at: number | null;
  readonly obtained_at: number;
  readonly issuer: string;
  readonly relogin_generation: number | null;
  readonly relogin_code: string;
  readonly relogin_message: string;
  readonly relogin_since: number;
  readonly unknown_generation: number | null;
  readonly unknown_since: number;
  readonly claim_owner: string | null;
  readonly claim_since: number;
  readonly claim_deadline: number;
}

const secretFields = ["secret", "access_token", "refresh_token", "id_token"] as const;
type SecretField = (typeof secretFields)[number];

/** One that is opened when it is first needed. */
class SealedSecret extends Secret {
  readonly #unseal: () => string;
  #opened: string | null = null;

  constructor(unseal: () => string) {
    super("");
    this.#unseal = unseal;
  }

  override reveal(): string {
    return (this.#opened ??= this.#unseal());
  }
}

/** Turns rows into credentials and grants into columns. */
export interface RowMapper {
  /** Throws `store_unavailable`, naming the credential, when one of its secrets does not open. */
  readonly toCredential: (row: CredentialRow) => Credential;
  toOAuth(row: CredentialRow): OAuthCredential;
  toGrant(row: CredentialRow): Grant;
  grantColumns(id: string, grant: NewGrant): Record<string, string | number | null | Uint8Array>;
  sourceColumns(id: string, source: KeySource): { source: string; secret: Uint8Array | null };
  /** Lets go of the opened secrets of a credential that is no more. */
  forget(id: string): void;
}

/**
 * `place` is the store as errors name it. `opensLater`: for whoever only looks. Each secret is opened when it is needed, which may be
 * never; then it is `Secret.reveal` that throws, and a new key is not followed.
 */
export function createRowMapper(sealer: Sealer, place: string, opensLater: boolean = false): RowMapper {
  // Every turn lists the pool. A secret is opened again only when its sealed form has changed.
  const opened = new Map<string, Map<SecretField, { sealed: Uint8Array; secret: Secret }>>();

  function open(row: CredentialRow, field: SecretField, sealed: Uint8Array): Secret {
    let fields = opened.get(row.id);
    if (fields === undefined) opened.set(row.id, (fields = new Map()));
    const known = fields.get(field);
    if (known !== undefined && Buffer.compare(known.sealed, sealed) === 0) return known.secret;
    const unseal = (): string => {
      try {
        return sealer.open(sealed, row.id, field);
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        throw alteredError(row, place, error);
      }
    };
    const secret = opensLater ? new SealedSecret(unseal) : new Secret(unseal());
    fields.set(field, { sealed, secret });
    return secret;
  }

  function openOrNull(row: CredentialRow, field: SecretField, sealed: Uint8Array | null): Secret | null {
    return sealed === null ? null : open(row, field, sealed);
  }

  function sealOrNull(id: string, field: SecretField, secret: Secret | null): Uint8Array | null {
    return secret === null ? null : sealer.seal(secret.reveal(), id, field);
  }

  function toGrant(row: CredentialRow): Grant {
    return {
      generation: row.generation,
      accessToken: open(row, "access_token", row.access_token),
      refreshToken: openOrNull(row, "refresh_token", row.refresh_token),
      idToken: openOrNull(row, "id_token", row.id_token),
      expiresAt: row.expires_at,
      obtainedAt: row.obtained_at,
      issuer: row.issuer,
    };
  }

  function toOAuth(row: CredentialRow): OAuthCredential {
    return {
      ...toBase(row),
      kind: "oauth",
      account: {
        id: row.account_id,
        userId: row.account_user_id,
        email: row.account_email,
        plan: row.account_plan,
      },
      grant: toGrant(row),
      relogin:
        row.relogin_generation === null
          ? null
          : {
              generation: row.relogin_generation,
              code: row.relogin_code,
              message: row.relogin_message,
              since: row.relogin_since,
            },
      ...unknownOf(row),
    };
  }

  function toSource(row: CredentialRow): KeySource {
    if (row.secret !== null) return { from: "stored", secret: open(row, "secret", row.secret) };
    return JSON.parse(row.source ?? "") as KeySource;
  }

  return {
    toGrant,
    toOAuth,
    toCredential: (row) =>
      row.kind === "oauth" ? toOAuth(row) : { ...toBase(row), kind: "api_key", source: toSource(row), persisted: true },

    grantColumns: (id, grant) => ({
      access_token: sealer.seal(grant.accessToken.reveal(), id, "access_token"),
      refresh_token: sealOrNull(id, "refresh_token", grant.refreshToken),
      id_token: sealOrNull(id, "id_token", grant.idToken),
      expires_at: grant.expiresAt === null ? null : wholeMs(grant.expiresAt),
      obtained_at: wholeMs(grant.obtainedAt),
      issuer: grant.issuer,
    }),

    sourceColumns: (id, source) =>
      source.from === "stored"
        ? { source: JSON.stringify({ from: "stored" }), secret: sealer.seal(source.secret.reveal(), id, "secret") }
        : { source: JSON.stringify(source), secret: null },

    forget(id) {
      opened.delete(id);
    },
  };
}

/**
 * The row, its secrets opened by `from` and sealed by `to` for the row `id`. `place` is where it comes from. Throws like
 * `RowMapper.toCredential`.
 */
export function resealRow<T extends CredentialRow>(
  row: T,
  from: Sealer,
  to: Sealer,
  place: string,
  id: string = row.id,
): T {
  const sealed: Partial<Record<SecretField, Uint8Array>> = {};
  for (const field of secretFields) {
    const value = row[field];
    if (value === null) continue;
    try {
      sealed[field] = to.seal(from.open(value, row.id, field), id, field);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      throw alteredError(row, place, error);
    }
  }
  return { ...row, ...sealed, id };
}

function alteredError({ provider, label, id }: CredentialRow, place: string, cause: SealError): UnderstudyError {
  return new UnderstudyError(
    "store_unavailable",
    `the stored secret of ${provider} "${label}" (${id}) in ${place} does not open: it was altered. Remove that credential and add it again, or put a copy of the store back.`,
    { provider, credential: label },
    { cause },
  );
}

export function accountColumns(account: Account): Record<string, string | null> {
  return {
    account_id: account.id,
    account_user_id: account.userId,
    account_email: account.email,
    account_plan: account.plan,
  };
}

/** Labels that differ in case alone are the same: people type them. */
export function labelKey(label: string): string {
  return label.trim().normalize("NFC").toLowerCase();
}

/** A time that was computed may have a fraction, which the integer columns would refuse. */
export function wholeMs(time: number): number {
  return Math.round(time);
}

function toBase(
  row: CredentialRow,
): Pick<OAuthCredential, "id" | "provider" | "label" | "priority" | "paused" | "createdAt" | "uses" | "lastUsedAt"> {
  return {
    id: row.id,
    provider: row.provider,
    label: row.label,
    priority: row.priority,
    paused: row.paused !== 0,
    createdAt: row.created_at,
    uses: row.uses,
    lastUsedAt: row.last_used_at,
  };
}

/** An outcome that is not known concerns the current generation or an earlier one of the same login. */
function unknownOf(row: CredentialRow): Pick<OAuthCredential, "unknownOutcome" | "unknownBefore"> {
  const { unknown_generation: generation, unknown_since: since } = row;
  if (generation === null) return { unknownOutcome: null };
  const unknown = { generation, since };
  return generation === row.generation ? { unknownOutcome: unknown } : { unknownOutcome: null, unknownBefore: unknown };
}
