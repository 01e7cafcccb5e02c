import type { Route, Target } from "../../../src/core/target.ts";
import type { Cooldown } from "../../../src/core/cooldown.ts";
import type { Credential, OAuthCredential } from "../../../src/credentials/credential.ts";
import type { SimProcess } from "../sim-process.ts";
import type { Row } from "../store-model/disk.ts";
import type { Covered } from "../weather.ts";
import type { World } from "../world.ts";

/** The candidates of a route that would answer this process now, by the truth of the world. */
export function usableCandidates(process: SimProcess, route: Route): Covered[] {
  const { world } = process;
  const usable: Covered[] = [];
  if (world.storeTrouble.current !== null) return usable;
  for (const target of route.strict ? route.targets.slice(0, 1) : route.targets) {
    for (const row of world.disk.content.rows) {
      const { id, label, provider } = row.credential;
      if (provider !== target.provider) continue;
      if (target.credential !== undefined && target.credential !== id && target.credential !== label) continue;
      const candidate = { provider, credentialId: id, model: target.model, machine: process.machine.name };
      if (isUsable(process, row, target, candidate)) usable.push(candidate);
    }
  }
  return usable;
}

function isUsable(process: SimProcess, row: Row, target: Target, candidate: Covered): boolean {
  const { world } = process;
  const { credential } = row;
  const now = process.machine.now();
  if (credential.paused || !world.weather.isClear(candidate, world.scheduler.now)) return false;
  const isCooling = world.disk.content.cooldowns.some(
    (one) =>
      one.provider === target.provider &&
      one.until > now &&
      !isOutlived(one, credential) &&
      (one.credentialId === "" || one.credentialId === credential.id) &&
      (one.model === "" || one.model === target.model),
  );
  if (isCooling) return false;
  if (credential.kind === "api_key") return world.isKeyGood(credential.id);
  return hasGoodToken(world, credential, now) || canRefresh(process, row, credential);
}

/** A new generation ends what was held against the login before it. */
export function isOutlived(cooldown: Cooldown, credential: Credential): boolean {
  const isAboutLogin = cooldown.reason === "auth" || cooldown.reason === "relogin_required";
  return credential.kind === "oauth" && isAboutLogin && cooldown.since < credential.grant.obtainedAt;
}

/** The provider would take the stored access token, and the keeper would use it. */
function hasGoodToken(world: World, { grant }: OAuthCredential, now: number): boolean {
  const isFresh = grant.expiresAt === null || now < grant.expiresAt - 30_000;
  return isFresh && world.isAccessGood(grant.accessToken.reveal());
}

/**
 * Nothing stands in the way of a refresh, nothing went wrong with one of this generation before, and its issuer has not asked this process for
 * patience: it has then, for whichever login of the same client it was.
 */
function canRefresh(
  { world, askedToWait }: SimProcess,
  { claim }: Row,
  { id, grant, relogin, unknownOutcome }: OAuthCredential,
): boolean {
  if (relogin !== null || unknownOutcome !== null || grant.refreshToken === null) return false;
  const owner = claim === null ? null : world.processOwning(claim.owner);
  if (claim !== null && (owner === null || owner.dead || owner.frozen)) return false;
  const token = grant.refreshToken.reveal();
  const family = world.familyOf(token);
  if (family === null || family.over !== null || family.current !== token || family.issuer.trouble !== null)
    return false;
  if (world.scheduler.now < (askedToWait.get(family.issuer.origin) ?? 0)) return false;
  return world.spending.isClean(id, grant.generation);
}
