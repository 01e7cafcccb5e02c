import type { Account, OAuthCredential, UnknownOutcome } from "../../../src/credentials/credential.ts";
import type { ClaimResult } from "../../../src/credentials/store.ts";
import { type Claim, type Disk, findRow, type Row, withRow } from "./disk.ts";
import type { SyncStore } from "./model-store.ts";

type RefreshPart = Pick<
  SyncStore,
  "claimRefresh" | "settleAnswered" | "settleRefused" | "releaseClaim" | "settleUnknown"
>;

interface LoginRow extends Row {
  readonly credential: OAuthCredential;
}

export function createRefreshPart(disk: Disk): RefreshPart {
  function loginRow(id: string): LoginRow | null {
    const row = findRow(disk.content, id);
    return row?.credential.kind === "oauth" ? (row as LoginRow) : null;
  }

  function currentRow(id: string, generation: number): LoginRow | null {
    const row = loginRow(id);
    return row?.credential.grant.generation === generation ? row : null;
  }

  function put(row: Row): void {
    disk.write(withRow(disk.content, row), true);
  }

  function note(row: LoginRow, since: number, claim: Claim | null): OAuthCredential {
    const { generation } = row.credential.grant;
    const credential = { ...row.credential, unknownOutcome: { generation, since: Math.round(since) } };
    put({ credential, claim });
    return credential;
  }

  return {
    claimRefresh({ credentialId, generation, owner, now, deadline, isDead, replay }): ClaimResult {
      const row = loginRow(credentialId);
      if (row === null) return { outcome: "gone" };
      const { credential, claim } = row;
      if (credential.grant.generation !== generation || credential.relogin?.generation === generation) {
        return { outcome: "superseded", credential };
      }
      if (claim !== null) {
        if (now < claim.deadline && !isDead(claim.owner)) return { outcome: "held", until: claim.deadline };
        return { outcome: "unknown", credential: note(row, claim.since, null) };
      }
      if (credential.unknownOutcome?.generation === generation && !replay) return { outcome: "unknown", credential };
      put({ credential, claim: { owner, since: Math.round(now), deadline: Math.round(deadline) } });
      return { outcome: "claimed", credential };
    },

    settleAnswered(id, generation, grant, account) {
      const row = currentRow(id, generation);
      if (row === null) return false;
      const credential: OAuthCredential = {
        ...row.credential,
        account: known(row.credential.account, account),
        grant: { ...grant, generation: generation + 1 },
        relogin: null,
        ...outlived(row.credential.unknownOutcome),
      };
      const content = withRow(disk.content, { credential, claim: null });
      // A newer generation clears what was held against the old token; a used-up quota is not the token's fault.
      const cooldowns = content.cooldowns.filter(
        (one) => one.credentialId !== id || (one.reason !== "auth" && one.reason !== "relogin_required"),
      );
      disk.write({ ...content, cooldowns }, true);
      return true;
    },

    settleRefused(id, { generation, code, message, since }) {
      const row = currentRow(id, generation);
      if (row === null) return false;
      const relogin = { generation, code, message, since: Math.round(since) };
      put({ credential: { ...row.credential, relogin }, claim: null });
      return true;
    },

    releaseClaim(id, generation, owner) {
      const row = currentRow(id, generation);
      if (row?.claim?.owner === owner) put({ ...row, claim: null });
    },

    settleUnknown(id, generation, owner, since) {
      const row = currentRow(id, generation);
      if (row !== null) note(row, since, row.claim?.owner === owner ? null : row.claim);
    },
  };
}

/** What the answer doesn't say about the account stays as it was. */
function known(before: Account, after: Account | null): Account {
  return {
    id: after?.id ?? before.id,
    userId: after?.userId ?? before.userId,
    email: after?.email ?? before.email,
    plan: after?.plan ?? before.plan,
  };
}

/** What was not known of a generation stays noted. */
function outlived(unknown: UnknownOutcome | null): Pick<OAuthCredential, "unknownOutcome" | "unknownBefore"> {
  return { unknownOutcome: null, ...(unknown === null ? {} : { unknownBefore: unknown }) };
}
