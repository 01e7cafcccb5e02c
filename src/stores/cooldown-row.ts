import type { Cooldown } from "../core/cooldown.ts";
import type { Reason } from "../core/failure.ts";
import { wholeMs } from "./credential-row.ts";

/** How long the failure count of a cooldown that is over still makes the next one longer, in ms: one day. */
export const failuresRememberedMs: number = 24 * 60 * 60_000;

/** A row of the table `cooldown`, which has the same columns in every store. */
export interface CooldownRow extends Omit<Cooldown, "credentialId" | "reason" | "stated"> {
  readonly credential_id: string;
  readonly reason: string;
  readonly stated: number;
}

export function toCooldown(row: CooldownRow): Cooldown {
  const { credential_id: credentialId, reason, stated, ...rest } = row;
  return { ...rest, credentialId, reason: reason as Reason, stated: stated !== 0 };
}

export function cooldownColumns(cooldown: Cooldown): Record<keyof CooldownRow, string | number> {
  const { provider, credentialId, model, until, reason, message, since, failures, stated } = cooldown;
  return {
    provider,
    credential_id: credentialId,
    model,
    until: wholeMs(until),
    reason,
    message,
    since: wholeMs(since),
    failures,
    stated: stated ? 1 : 0,
  };
}
