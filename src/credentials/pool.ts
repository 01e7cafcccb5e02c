import { type Cooldown, healsByItself, isCooling } from "../core/cooldown.ts";
import type { Reason } from "../core/failure.ts";
import { type Credential, needsRelogin } from "./credential.ts";
import { mustRefresh } from "./token-window.ts";

/** Why a credential is not used now. */
export type Blocked =
  | { readonly credential: Credential; readonly why: "paused" }
  | {
      readonly credential: Credential;
      readonly why: "relogin_required";
      readonly message: string;
      readonly since: number;
    }
  | { readonly credential: Credential; readonly why: "cooling"; readonly cooldown: Cooldown };

/** A pool as it stands for one model at one moment. */
export interface PoolState {
  readonly usable: readonly Credential[];
  readonly blocked: readonly Blocked[];
}

/**
 * Who of a pool may serve `model` now. A login that must be renewed by a person is usable as long as its access token lives:
 * the verdict concerns the refresh token.
 */
export function assessPool(
  credentials: readonly Credential[],
  cooldowns: readonly Cooldown[],
  model: string,
  now: number,
): PoolState {
  const usable: Credential[] = [];
  const blocked: Blocked[] = [];
  // By whom they concern; those under "" concern everybody.
  const byCredential = Map.groupBy(cooldowns, ({ credentialId }) => credentialId);
  const shared = byCredential.get("") ?? [];
  for (const credential of credentials) {
    const own = byCredential.get(credential.id);
    const reason = whyBlocked(credential, own === undefined ? shared : [...shared, ...own], model, now);
    if (reason === null) usable.push(credential);
    else blocked.push(reason);
  }
  return { usable, blocked };
}

/** Why this one may not serve `model` now, given the cooldowns that may concern it; null when it may. */
export function whyBlocked(
  credential: Credential,
  cooldowns: readonly Cooldown[],
  model: string,
  now: number,
): Blocked | null {
  if (credential.paused) return { credential, why: "paused" };
  if (credential.kind === "oauth" && needsRelogin(credential) && mustRefresh(credential.grant, now)) {
    const { message, since } = credential.relogin ?? { message: "a new sign-in is needed", since: now };
    return { credential, why: "relogin_required", message, since };
  }
  const active = cooldowns
    .filter((cooldown) => isBenchedBy(cooldown, credential, model, now))
    .reduce<Cooldown | null>((last, one) => (last === null || one.until > last.until ? one : last), null);
  return active === null ? null : { credential, why: "cooling", cooldown: active };
}

/**
 * True while `cooldown` keeps `credential` from serving `model`. What is held against a login itself (`auth`,
 * `relogin_required`) ends with its generation, also when it was written after the next one began: a turn that was suspended
 * must not bench the login that a person has renewed meanwhile.
 */
export function isBenchedBy(cooldown: Cooldown, credential: Credential, model: string, now: number): boolean {
  if (cooldown.provider !== credential.provider || !isCooling(cooldown, credential.id, model, now)) return false;
  const isOutlived =
    credential.kind === "oauth" && isAboutLogin(cooldown.reason) && cooldown.since < credential.grant.obtainedAt;
  return !isOutlived;
}

/** True for reasons that say something about the login, and so nothing about the next one. */
export function isAboutLogin(reason: Reason): boolean {
  return reason === "auth" || reason === "relogin_required";
}

/** Unix ms at which this credential recovers by itself; null when only a person can help. */
export function recoversAt(blocked: Blocked): number | null {
  if (blocked.why !== "cooling" || !healsByItself(blocked.cooldown.reason)) return null;
  return blocked.cooldown.until;
}
