import { Secret } from "../../src/core/secret.ts";
import type { Credential } from "../../src/credentials/credential.ts";
import type { Store } from "../../src/credentials/store.ts";
import {
  sampleAccount,
  sampleClaim,
  sampleCooldown,
  sampleGrant,
  sampleTurn,
  saveSampleLogin,
  start,
} from "../contract/store-samples.ts";

/** Puts one of everything into a store: keys of each kind, logins in every state, cooldowns, turns. */
export async function fillStore(store: Store): Promise<void> {
  const place = { provider: "openai", at: start };
  await store.addApiKey({ ...place, label: "team", source: { from: "stored", secret: new Secret("sk-0123456789") } });
  await store.addApiKey({ ...place, label: "Büro", source: { from: "env", name: "OPENAI_API_KEY" } });
  const paused = await store.addApiKey({ ...place, label: "old", source: { from: "command", command: "pass show x" } });
  await store.updateCredential(paused.id, { paused: true, priority: -5 });
  await store.recordUse(paused.id, start + 9);

  const fresh = await saveSampleLogin(store);
  await store.settleAnswered(fresh.id, 1, sampleGrant("2"), sampleAccount({ plan: "pro" }));
  const refused = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }) });
  await store.settleRefused(refused.id, { generation: 1, code: "invalid_grant", message: "over", since: start });
  const unknown = await saveSampleLogin(store, {
    account: sampleAccount({ id: null, email: null }),
    grant: sampleGrant("u", { refreshToken: null, idToken: null, expiresAt: null }),
  });
  await store.claimRefresh(sampleClaim(unknown.id));
  await store.settleUnknown(unknown.id, 1, "a", start + 3);

  await store.putCooldown(
    sampleCooldown({ credentialId: fresh.id, failures: 3, stated: true, until: Date.now() + 60_000 }),
  );
  await store.putCooldown(sampleCooldown({ credentialId: "", model: "gpt-5.5", until: Date.now() + 60_000 }));
  for (const id of ["t1", "t2", "t3"]) await store.appendTurn(sampleTurn(id));
}

/** The same in a store that is opened for it and closed after it, so that all of it is written. */
export async function fillPlace(open: () => Promise<Store>): Promise<void> {
  const store = await open();
  await fillStore(store);
  await store.close();
}

/** All that a store tells of itself, secrets in the clear. */
export async function contentOf(store: Store): Promise<object> {
  return {
    credentials: (await store.listCredentials()).map(inTheClear),
    cooldowns: await store.listCooldowns(),
    turns: await store.listTurns(100),
  };
}

function inTheClear(credential: Credential): object {
  if (credential.kind === "api_key") {
    const { source } = credential;
    return { ...credential, source: source.from === "stored" ? source.secret.reveal() : source };
  }
  const { accessToken, refreshToken, idToken } = credential.grant;
  const tokens = [accessToken, refreshToken, idToken].map((token) => token?.reveal() ?? null);
  return {
    ...credential,
    grant: { ...credential.grant, accessToken: null, refreshToken: null, idToken: null, tokens },
  };
}
