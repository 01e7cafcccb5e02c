import type { Cooldown } from "../../src/core/cooldown.ts";
import type { TurnRecord } from "../../src/core/events.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Account, OAuthCredential } from "../../src/credentials/credential.ts";
import type { ClaimRequest, NewGrant, NewLogin, Store } from "../../src/credentials/store.ts";

/** A time that the samples count from, Unix ms. */
export const start = 1_790_000_000_000;

export function sampleAccount(account: Partial<Account> = {}): Account {
  return { id: "acct-1", userId: "user-1", email: "ann@example.com", plan: "plus", ...account };
}

/** A grant whose three tokens carry `name`. */
export function sampleGrant(name: string, grant: Partial<NewGrant> = {}): NewGrant {
  return {
    accessToken: new Secret(`access-${name}`),
    refreshToken: new Secret(`refresh-${name}`),
    idToken: new Secret(`id-${name}`),
    expiresAt: start + 3_600_000,
    obtainedAt: start,
    issuer: "https://issuer.example",
    ...grant,
  };
}

export function sampleLogin(login: Partial<NewLogin> = {}): NewLogin {
  return { provider: "codex", label: "work", account: sampleAccount(), grant: sampleGrant("1"), at: start, ...login };
}

/** A stored login, generation 1. */
export async function saveSampleLogin(store: Store, login: Partial<NewLogin> = {}): Promise<OAuthCredential> {
  return (await store.saveLogin(sampleLogin(login))).credential;
}

export async function readOAuth(store: Store, id: string): Promise<OAuthCredential> {
  const credential = await store.getCredential(id);
  if (credential?.kind !== "oauth") throw new Error(`no OAuth credential ${id}`);
  return credential;
}

/** A claim by owner `a` on generation 1, made at `start`, good for a minute, in a world where everybody lives. */
export function sampleClaim(credentialId: string, request: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    credentialId,
    generation: 1,
    owner: "a",
    now: start,
    deadline: start + 60_000,
    isDead: () => false,
    replay: false,
    ...request,
  };
}

export function sampleCooldown(cooldown: Partial<Cooldown> = {}): Cooldown {
  return {
    provider: "codex",
    credentialId: "c1",
    model: "",
    until: start + 60_000,
    reason: "rate_limit",
    message: "too many requests",
    since: start,
    failures: 1,
    stated: false,
    ...cooldown,
  };
}

export function sampleTurn(id: string): TurnRecord {
  const candidate = { provider: "codex", model: "gpt-5.5", credential: { id: "c1", label: "work" } };
  return {
    id,
    route: "coding",
    startedAt: start,
    endedAt: start + 1_000,
    outcome: "answered",
    attempts: [
      {
        candidate,
        startedAt: start,
        endedAt: start + 500,
        failure: {
          reason: "quota",
          scope: "credential",
          next: "next_credential",
          retryAt: start + 60_000,
          reloginRequired: false,
          status: 429,
          code: "usage_limit_reached",
          message: "the plan's window is used up",
          row: "codex-usage-limit",
        },
        decision: { action: "next_credential" },
        called: true,
      },
      { candidate, startedAt: start + 500, endedAt: start + 1_000, failure: null, decision: null, called: true },
    ],
    usage: { input: 10, output: 20, cachedInput: 5, reasoning: 7 },
  };
}
