import { type Cooldown, cooldownKey, nextCooldown } from "../core/cooldown.ts";
import type { Decision } from "../core/decide.ts";
import type { Failure } from "../core/failure.ts";
import type { Store } from "../credentials/store.ts";
import type { Line, LineCandidate } from "./line.ts";

/**
 * The cooldown that this failure would set (rule R4: against exactly whom it concerns; R5: never shorter than what stands),
 * or null when it sets none.
 */
export async function planCooldown(
  store: Store,
  { target, credential }: LineCandidate,
  failure: Failure,
  now: number,
): Promise<Cooldown | null> {
  const at = { provider: target.provider, credentialId: credential.id, model: target.model };
  const key = cooldownKey(failure.scope, at);
  if (key === null) return null;
  const standing = (await store.listCooldowns(target.provider)).find(
    (one) => one.credentialId === key.credentialId && one.model === key.model,
  );
  return nextCooldown(failure, at, standing ?? null, now);
}

/** True when the planned cooldown is to be written: a try that goes on in place benches nobody, unless the provider named a time. */
export function isBenching(decision: Decision, failure: Failure): boolean {
  switch (decision.action) {
    case "refresh":
    case "repair":
      return false;
    case "retry":
      return failure.retryAt !== undefined;
    case "stop":
    case "give_up":
    case "next_credential":
    case "next_target":
    case "wait":
      return true;
  }
}

/** The line without the credentials that other turns have benched meanwhile. */
export async function withoutBenched(store: Store, line: Line, now: number): Promise<Line> {
  const benched = (await store.listCooldowns()).filter((one) => one.until > now && one.credentialId !== "");
  if (benched.length === 0) return line;
  return line.filter(
    ({ target, credential }) =>
      !benched.some((one) => one.credentialId === credential.id && (one.model === "" || one.model === target.model)),
  );
}

/**
 * A served turn clears what stood against its credential from before its attempt began. The same millisecond counts as before: a
 * model that failed for one credential and answered the next one at once must not rest.
 */
export async function clearAfterSuccess(
  store: Store,
  { target, credential }: LineCandidate,
  startedAt: number,
): Promise<void> {
  const standing = await store.listCooldowns(target.provider);
  for (const one of standing) {
    const mine = one.credentialId === "" || one.credentialId === credential.id;
    if (!mine || (one.model !== "" && one.model !== target.model) || one.since > startedAt) continue;
    // Another turn may have failed since the list was read: its cooldown stays.
    const { provider, credentialId, model } = one;
    await store.clearCooldowns({ provider, credentialId, model, setBefore: startedAt });
  }
}
