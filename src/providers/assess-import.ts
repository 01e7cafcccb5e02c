import { isUsableSecret, type Secret } from "../core/secret.ts";
import type { Account, Credential, KeySource, OAuthCredential } from "../credentials/credential.ts";
import { needsRelogin } from "../credentials/credential.ts";
import type { FoundKey, FoundLogin } from "../credentials/imports/found.ts";
import type { NewGrant } from "../credentials/store.ts";
import { readExpiry } from "../oauth/jwt.ts";
import { type Environment, refusedKey } from "./environment.ts";
import { findLeftOut } from "./left-out.ts";
import type { Provider } from "./provider.ts";
import { findProvider } from "./registry.ts";
import { resolveBaseUrl } from "./resolve.ts";
import { readAccount } from "./store-login.ts";

/** Whether something of another tool may come over. */
export type ImportVerdict =
  | {
      readonly kind: "login";
      readonly provider: Provider;
      readonly account: Account;
      readonly grant: NewGrant;
      /** The login that it takes the place of: of the same account, and over. */
      readonly renews: OAuthCredential | null;
    }
  | { readonly kind: "key"; readonly provider: Provider; readonly source: KeySource }
  /** It is here already; nothing has to be done. */
  | { readonly kind: "present"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

/** What an import is judged by. */
export interface ImportContext {
  readonly providers: readonly Provider[];
  /** Everything stored. */
  readonly credentials: readonly Credential[];
  readonly env: Environment;
  /** Unix ms. */
  readonly now: number;
}

/**
 * Judges a login:
 *
 * 1. Its provider must have logins here, and be the one that made it (issuer and client, rule R7).
 * 2. Both tokens must be there, and be no placeholders.
 * 3. Its access token must be alive: otherwise the first thing to do with it would be to spend the token that two tools share.
 * 4. It must say whose it is, and say it once: the account in the file, in the id token and in the access token are the same.
 * 5. An account that has a working login of its own keeps it.
 */
export function assessLogin(found: FoundLogin, context: ImportContext): ImportVerdict {
  const provider = findProvider(context.providers, found.provider);
  if (provider === null) return unknownProvider(found.provider);
  const { signIn } = provider;
  if (signIn.kind !== "codex") return refused(whyNoLogin(provider, found.accessToken));
  const { accessToken, refreshToken, idToken } = found;
  if (found.ended !== null) return refused(`its own tool has given it up (${found.ended})`);
  if (!isUsableSecret(accessToken?.reveal())) return refused("its access token is missing or a placeholder");
  if (!isUsableSecret(refreshToken?.reveal())) return refused("its refresh token is missing or a placeholder");
  if (accessToken === null || refreshToken === null) return refused("it is not complete");
  if (isElsewhere(found.issuer, signIn.issuer)) return refused("another sign-in server made it");
  if (found.clientId !== null && found.clientId !== signIn.clientId) return refused("it was made for another client");
  const expiresAt = readExpiry(accessToken.reveal()) ?? found.expiresAt;
  if (expiresAt !== null && expiresAt <= context.now) return refused("its access token has expired");

  const account = readAccount(signIn, { idToken, accessToken });
  const byAccess = readAccount(signIn, { idToken: null, accessToken });
  if (account.id === null || account.userId === null) return refused("its tokens do not say whose login it is");
  const isOneAccount =
    [byAccess.id, found.accountId].every((id) => id === null || id === account.id) &&
    (byAccess.userId === null || byAccess.userId === account.userId);
  if (!isOneAccount) return refused("its parts belong to different accounts");

  const logins = context.credentials.filter((one) => one.kind === "oauth" && one.provider === provider.id);
  for (const login of logins) {
    if (login.kind === "oauth" && login.grant.refreshToken?.equals(refreshToken) === true) {
      return present(`this very login is here already, as ${login.label}`);
    }
  }
  const same = logins.find(
    (one): one is OAuthCredential =>
      one.kind === "oauth" && one.account.id === account.id && one.account.userId === account.userId,
  );
  if (same !== undefined && !needsRelogin(same)) {
    return present(`${same.label} is this account, with a login of its own`);
  }
  const { issuer } = signIn;
  const grant = { accessToken, refreshToken, idToken, expiresAt, obtainedAt: context.now, issuer };
  return { kind: "login", provider, account, grant, renews: same ?? null };
}

/** Judges a key: one that its provider does not want used, or that belongs to another address, stays where it is. */
export function assessKey(found: FoundKey, context: ImportContext): ImportVerdict {
  const provider = findProvider(context.providers, found.provider);
  if (provider === null) return unknownProvider(found.provider);
  if (provider.signIn.kind !== "api_key") return refused(`${provider.id} is signed in to and takes no key`);
  if (found.variable !== null) return assessVariable(found.variable, provider, context);
  const { key } = found;
  if (key === null || !isUsableSecret(key.reveal())) return refused("it is no key, or a placeholder");
  const reason = refusedKey(provider, key.reveal());
  if (reason !== null) return refused(reason);
  const baseUrl = resolveBaseUrl(provider, { key });
  if (found.baseUrl !== null && (baseUrl === null || isElsewhere(found.baseUrl, baseUrl))) {
    return refused(`it belongs to another address than the one that ${provider.id} has here`);
  }
  const same = context.credentials.find(
    (one) =>
      one.kind === "api_key" &&
      one.provider === provider.id &&
      one.source.from === "stored" &&
      one.source.secret.equals(key),
  );
  if (same !== undefined) return present(`it is here already, as ${same.label}`);
  return { kind: "key", provider, source: { from: "stored", secret: key } };
}

function assessVariable(name: string, provider: Provider, { env, credentials }: ImportContext): ImportVerdict {
  if (provider.signIn.kind === "api_key" && provider.signIn.env.includes(name)) {
    return present(`$${name} is read from the environment as it is`);
  }
  if (!isUsableSecret(env[name])) return refused(`it lives in $${name}, which is not set here`);
  const same = credentials.find(
    (one) =>
      one.kind === "api_key" && one.provider === provider.id && one.source.from === "env" && one.source.name === name,
  );
  if (same !== undefined) return present(`it is here already, as ${same.label}`);
  return { kind: "key", provider, source: { from: "env", name } };
}

function unknownProvider(name: string): ImportVerdict {
  const leftOut = findLeftOut(name);
  return refused(
    leftOut === null ? "no provider of this name is known here" : `${leftOut.id} can't be used: ${leftOut.reason}`,
  );
}

function whyNoLogin(provider: Provider, accessToken: Secret | null): string {
  return (
    refusedKey(provider, accessToken?.reveal()) ?? `only logins of codex can come over; ${provider.id} has its own way`
  );
}

/** Another origin. A text that is no address is another one, too. */
function isElsewhere(theirs: string | null, ours: string): boolean {
  if (theirs === null) return false;
  return !URL.canParse(theirs) || new URL(theirs).origin !== new URL(ours).origin;
}

function refused(reason: string): ImportVerdict {
  return { kind: "refused", reason };
}

function present(reason: string): ImportVerdict {
  return { kind: "present", reason };
}
