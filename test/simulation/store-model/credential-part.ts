import { UnderstudyError } from "../../../src/core/error.ts";
import type { Account, ApiKeyCredential, Credential, OAuthCredential } from "../../../src/credentials/credential.ts";
import { type Disk, findRow, withRow } from "./disk.ts";
import type { SyncStore } from "./model-store.ts";

type CredentialPart = Pick<
  SyncStore,
  "listCredentials" | "getCredential" | "addApiKey" | "saveLogin" | "updateCredential" | "removeCredential"
>;

/** `overlay` adds the uses that this process has not written yet, `forget` drops those of a removed credential. */
export function createCredentialPart(
  disk: Disk,
  overlay: <T extends Credential>(credential: T) => T,
  forget: (id: string) => void,
): CredentialPart {
  function isTaken(provider: string, label: string, exceptId?: string): boolean {
    return disk.content.rows.some(
      ({ credential }) =>
        credential.provider === provider && credential.id !== exceptId && keyOf(credential.label) === keyOf(label),
    );
  }

  function refuseTaken(provider: string, label: string, exceptId?: string): void {
    if (keyOf(label) === "") throw new UnderstudyError("usage", "the label is empty", { provider });
    if (!isTaken(provider, label, exceptId)) return;
    throw new UnderstudyError("usage", `${provider} already has a credential "${label}"`, { provider });
  }

  function freeLabel(provider: string, label: string): string {
    for (let n = 1; ; n++) {
      const candidate = n === 1 ? label : `${label}-${n}`;
      if (!isTaken(provider, candidate)) return candidate;
    }
  }

  /** What a new credential starts with, at the end of its pool. */
  function place(provider: string, label: string, at: number) {
    const priorities = disk.content.rows
      .filter(({ credential }) => credential.provider === provider)
      .map(({ credential }) => credential.priority);
    const priority = priorities.length === 0 ? 0 : Math.max(...priorities) + 1;
    const createdAt = Math.round(at);
    return { id: disk.nextId(), provider, label, priority, paused: false, createdAt, uses: 0, lastUsedAt: 0 };
  }

  function loginToReplace(provider: string, account: Account, replaces: string | undefined): OAuthCredential | null {
    if (replaces === undefined) {
      if (account.id === null || account.userId === null) return null;
      for (const { credential } of disk.content.rows) {
        if (credential.kind !== "oauth" || credential.provider !== provider) continue;
        if (credential.account.id === account.id && credential.account.userId === account.userId) return credential;
      }
      return null;
    }
    const credential = findRow(disk.content, replaces)?.credential;
    if (credential === undefined || credential.provider !== provider) {
      throw new UnderstudyError("credential_unknown", `${provider} has no credential ${replaces}`, { provider });
    }
    if (credential.kind !== "oauth") throw new UnderstudyError("usage", "a login can't replace an API key");
    return credential;
  }

  return {
    listCredentials(provider) {
      const listed: Credential[] = [];
      for (const { credential } of disk.content.rows) {
        if (provider === undefined || credential.provider === provider) listed.push(overlay(credential));
      }
      return listed;
    },

    getCredential(id) {
      const row = findRow(disk.content, id);
      return row === undefined ? null : overlay(row.credential);
    },

    addApiKey({ provider, label, source, at }) {
      refuseTaken(provider, label);
      const credential: ApiKeyCredential = { ...place(provider, label, at), kind: "api_key", source, persisted: true };
      disk.write(withRow(disk.content, { credential, claim: null }), true);
      return credential;
    },

    saveLogin({ provider, label, account, grant, replaces, at }) {
      const old = loginToReplace(provider, account, replaces);
      const credential: OAuthCredential = {
        ...(old === null ? place(provider, freeLabel(provider, label), at) : withoutPast(old)),
        kind: "oauth",
        account,
        grant: { ...grant, generation: (old?.grant.generation ?? 0) + 1 },
        relogin: null,
        unknownOutcome: null,
      };
      const content = withRow(disk.content, { credential, claim: null });
      const cooldowns = content.cooldowns.filter((one) => one.credentialId !== credential.id);
      disk.write({ ...content, cooldowns }, true);
      return { credential: overlay(credential), replaced: old?.grant ?? null };
    },

    updateCredential(id, change) {
      const row = findRow(disk.content, id);
      if (row === undefined) return null;
      const { label, priority, paused } = { ...row.credential, ...change };
      if (!Number.isSafeInteger(priority)) {
        throw new UnderstudyError("usage", `the priority must be a whole number, not ${priority}`);
      }
      refuseTaken(row.credential.provider, label, id);
      const credential = { ...row.credential, label, priority, paused };
      disk.write(withRow(disk.content, { ...row, credential }), true);
      return overlay(credential);
    },

    removeCredential(id) {
      const { rows, cooldowns, turns } = disk.content;
      const left = rows.filter(({ credential }) => credential.id !== id);
      const others = cooldowns.filter((one) => one.credentialId !== id);
      if (left.length === rows.length && others.length === cooldowns.length) return false;
      disk.write({ rows: left, cooldowns: others, turns }, true);
      forget(id);
      return left.length < rows.length;
    },
  };
}

/** Labels that differ in case alone are the same. */
function keyOf(label: string): string {
  return label.trim().normalize("NFC").toLowerCase();
}

function withoutPast(credential: OAuthCredential): OAuthCredential {
  const { unknownBefore: _, ...rest } = credential;
  return rest;
}
