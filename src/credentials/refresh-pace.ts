import type { Random } from "../core/clock.ts";
import type { Failure } from "../core/failure.ts";
import type { OAuthCredential } from "./credential.ts";

/** A token endpoint that is left alone for a while. */
export interface Pause {
  /** Unix ms. */
  readonly since: number;
  /** Unix ms. */
  readonly notBefore: number;
  /** What callers are told meanwhile. */
  readonly failure: Failure;
}

/**
 * How fast one process may ask the token endpoint that several logins share: those of one provider whose tokens one issuer made, and
 * so with one client id.
 *
 * - A 429 for one of them holds all of them back: it is the client that asks too often, whichever login it was for.
 * - Refreshes that nobody waits for begin one after the other, 2 to 4 s apart. The early window is 5 min long, and every turn in it
 *   is another occasion, so that nobody comes too late for having stood back.
 * - A refresh that somebody waits for never stands back but for a 429.
 */
export interface RefreshPace {
  /** The pause that this login shares with its siblings; null when there is none now. */
  pauseOf(credential: OAuthCredential, now: number): Pause | null;
  /** True when a refresh that nobody waits for may begin now; then the next one may not for a moment. */
  takeTurn(credential: OAuthCredential, now: number): boolean;
  /** The endpoint asked for patience. */
  holdBack(credential: OAuthCredential, pause: Pause): void;
  /** The endpoint has answered: it has patience again. */
  answered(credential: OAuthCredential): void;
}

/** Between the beginnings of two refreshes that nobody waits for, in ms; up to twice as long by chance. */
export const earlySpacingMs = 2_000;

export function createRefreshPace(random: Random): RefreshPace {
  const pauses = new Map<string, Pause>();
  const turns = new Map<string, { readonly since: number; readonly next: number }>();

  return {
    pauseOf(credential, now) {
      const pause = pauses.get(endpointOf(credential));
      return pause !== undefined && holdsAt(pause, now) ? pause : null;
    },
    takeTurn(credential, now) {
      const endpoint = endpointOf(credential);
      const last = turns.get(endpoint);
      // One that was taken later than now was taken by a clock that has been set back since.
      if (last !== undefined && now >= last.since && now < last.next) return false;
      turns.set(endpoint, { since: now, next: now + earlySpacingMs * (1 + random()) });
      return true;
    },
    holdBack(credential, pause) {
      const endpoint = endpointOf(credential);
      const standing = pauses.get(endpoint);
      if (standing === undefined || !holdsAt(standing, pause.since) || standing.notBefore < pause.notBefore) {
        pauses.set(endpoint, pause);
      }
    },
    answered(credential) {
      pauses.delete(endpointOf(credential));
    },
  };
}

/** A pause that was made later than now was made by a clock that has been set back since. */
export function holdsAt({ since, notBefore }: Pause, now: number): boolean {
  return now >= since && now < notBefore;
}

function endpointOf({ provider, grant }: OAuthCredential): string {
  return `${provider}\n${grant.issuer}`;
}
