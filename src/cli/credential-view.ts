import type { Random } from "../core/clock.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { Reason } from "../core/failure.ts";
import type { Strategy } from "../core/select.ts";
import type { Blocked } from "../credentials/pool.ts";
import { describePool, readSource, type SourceFacts, type Standing } from "../turn/credential-standing.ts";
import type { Pool } from "./find-provider.ts";
import { isoTime } from "./output.ts";

/** A credential as it stands now, for people and as JSON. Nothing in it is secret. */
export interface CredentialView extends SourceFacts {
  /** Its place in the list, from 1. */
  readonly index: number;
  readonly id: string;
  readonly kind: "oauth" | "api_key";
  readonly state: Standing["state"];
  readonly reason: Reason | null;
  /** The state in words. */
  readonly words: string;
  /** ISO 8601, as all times here. */
  readonly since: string | null;
  readonly until: string | null;
  /** The one command that helps, or null. */
  readonly command: string | null;
  /** Single models that rest while the credential itself is ready. */
  readonly models: readonly { readonly model: string; readonly reason: Reason; readonly until: string | null }[];
  /** True for the one that the next turn tries first. */
  readonly next: boolean;
  readonly accessTokenUntil: string | null;
  readonly uses: number;
  readonly lastUsedAt: string | null;
}

/** How every credential of a pool stands. Reads nothing but its arguments. */
export function viewPool(
  { providerId, provider, credentials }: Pool,
  cooldowns: readonly Cooldown[],
  strategy: Strategy,
  now: number,
  random: Random = Math.random,
): CredentialView[] {
  const pool = { id: providerId, provider, credentials };
  return describePool(pool, cooldowns, strategy, now, random).map((standing, i) => {
    const { credential, blocked, state, words, command, isNext } = standing;
    const { label, ...source } = readSource(credential);
    return {
      index: i + 1,
      id: credential.id,
      label,
      kind: credential.kind,
      ...source,
      state,
      ...facts(blocked),
      words,
      command,
      models: cooldowns
        .filter(
          (one) =>
            one.provider === providerId &&
            (one.credentialId === credential.id || one.credentialId === "") &&
            one.model !== "" &&
            one.until > now,
        )
        .map(({ model, reason, until }) => ({ model, reason, until: isoTime(until) })),
      next: isNext,
      accessTokenUntil: credential.kind === "oauth" ? isoTime(credential.grant.expiresAt) : null,
      uses: credential.uses,
      lastUsedAt: credential.lastUsedAt === 0 ? null : isoTime(credential.lastUsedAt),
    };
  });
}

function facts(blocked: Blocked | null): Pick<CredentialView, "reason" | "since" | "until"> {
  switch (blocked?.why) {
    case undefined:
    case "paused":
      return { reason: null, since: null, until: null };
    case "relogin_required":
      return { reason: "relogin_required", since: isoTime(blocked.since), until: null };
    case "cooling": {
      const { reason, since, until } = blocked.cooldown;
      return { reason, since: isoTime(since), until: reason === "relogin_required" ? null : isoTime(until) };
    }
  }
}
