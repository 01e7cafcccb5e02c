import type { Grant } from "./credential.ts";

const minuteMs = 60_000;

/** From this long before the access token's end it is refreshed in the background. */
export const earlyWindowMs: number = 5 * minuteMs;
/** From this long before the access token's end callers wait for the refresh. */
export const mandatoryWindowMs = 30_000;
/** A token whose end can't be read is refreshed in the background this long after it was obtained. */
export const unreadableAgeMs: number = 8 * 24 * 60 * minuteMs;

/** From when on it is time for a refresh, in Unix ms, though the token still lives. */
export function refreshDueAt({ expiresAt, obtainedAt }: Grant): number {
  return expiresAt === null ? obtainedAt + unreadableAgeMs : expiresAt - earlyWindowMs;
}

/** True when it is time for a refresh. */
export function shouldRefresh(grant: Grant, now: number): boolean {
  return now >= refreshDueAt(grant);
}

/** True when the access token is over, or so near its end that a call begun now could outlive it. */
export function mustRefresh(grant: Grant, now: number): boolean {
  return grant.expiresAt !== null && now >= grant.expiresAt - mandatoryWindowMs;
}

/** True when the access token may still be accepted. */
export function isAlive(grant: Grant, now: number): boolean {
  return grant.expiresAt === null || now < grant.expiresAt;
}
