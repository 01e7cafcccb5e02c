import { type Cooldown, nextCooldown } from "../../src/core/cooldown.ts";
import { decide, type Decision, type Situation } from "../../src/core/decide.ts";
import type { Failure, Reason } from "../../src/core/failure.ts";
import { Secret } from "../../src/core/secret.ts";
import { orderCredentials, type Strategy } from "../../src/core/select.ts";
import type { ApiKeyCredential } from "../../src/credentials/credential.ts";
import { assessPool } from "../../src/credentials/pool.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import { readErrorBody } from "../../src/failures/read-error-body.ts";

/** When everything of a case happens, Unix ms. */
export const now: number = Date.parse("2026-07-01T12:00:00Z");
export const second = 1_000;
export const hour: number = 3_600 * second;

/** A key of the provider `p`. */
export function key(id: string, more: Partial<ApiKeyCredential> = {}): ApiKeyCredential {
  return {
    kind: "api_key",
    id,
    provider: "p",
    label: id,
    priority: 0,
    paused: false,
    createdAt: 0,
    uses: 0,
    lastUsedAt: 0,
    persisted: true,
    source: { from: "stored", secret: new Secret("a key of the test") },
    ...more,
  };
}

/** Who of a pool is usable for model `m`, in the order of the strategy. */
export function usable(
  pool: readonly ApiKeyCredential[],
  cooldowns: readonly Cooldown[],
  {
    at = now,
    strategy = "fill_first",
    random = () => 0,
  }: { at?: number; strategy?: Strategy; random?: () => number } = {},
): string[] {
  const state = assessPool(pool, cooldowns, "m", at);
  return orderCredentials(state.usable, strategy, random).map(({ id }) => id);
}

/** What an HTTP error means. */
export function http(status: number, body: unknown, provider = "p", headers: Record<string, string> = {}): Failure {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return classifyFailure({ phase: "headers", provider, ...readErrorBody(status, headers, text) }, { now });
}

/** A failure with nothing but a reason and what it asks for. */
export function failure(reason: Reason, next: Failure["next"], more: Partial<Failure> = {}): Failure {
  return { reason, scope: "credential", next, reloginRequired: false, message: "", row: "a row", ...more };
}

/** The rest that a failure at `at` sets on credential `id`. */
export function rest(verdict: Failure, id: string, at: number = now): Cooldown {
  const cooldown = nextCooldown(verdict, { provider: "p", credentialId: id, model: "m" }, null, at);
  if (cooldown === null) throw new Error(`${verdict.reason} sets no rest`);
  return cooldown;
}

/** What is decided, with nothing left but what is given. */
export function decided(verdict: Failure, left: Partial<Situation> = {}): Decision["action"] {
  const situation: Situation = {
    now,
    retriesOnTarget: 0,
    canRefresh: false,
    repaired: false,
    credentialsLeft: 0,
    othersLeft: 0,
    nearestRecovery: null,
    waitLeftMs: 0,
    ...left,
  };
  return decide(verdict, situation, () => 0).action;
}
