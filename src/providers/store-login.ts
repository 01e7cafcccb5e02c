import type { Clock } from "../core/clock.ts";
import { UnderstudyError } from "../core/error.ts";
import type { Transport } from "../core/transport.ts";
import type { Account, OAuthCredential } from "../credentials/credential.ts";
import type { Store } from "../credentials/store.ts";
import { readPrintable } from "../oauth/answer-body.ts";
import type { UnplannedWait } from "../oauth/exchange.ts";
import { readCodexAccount } from "../oauth/codex/identity.ts";
import { idTokenProblem, readOidcAccount } from "../oauth/oidc-identity.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import type { LoginSignIn, Provider } from "./provider.ts";
import { revokeGrant } from "./revoke-grant.ts";
import { toGrant } from "./spend-refresh-token.ts";

/** What every way to sign in needs. */
export interface SignInInput {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly store: Store;
  readonly provider: Provider;
  /** For a new credential; default: the account's e-mail address. */
  readonly label?: string;
  /** Ends the waiting for the person. */
  readonly signal?: AbortSignal;
  /** Told before each wait for a sign-in server that limits the tries or can't be reached. */
  readonly onWait?: (wait: UnplannedWait) => void;
}

export interface SignedIn {
  readonly credential: OAuthCredential;
  /** True when the login of a credential that was there already was replaced. */
  readonly renewed: boolean;
}

/** The way to sign in of a provider that has logins. Throws `usage` for one that takes a key. */
export function requireLogin(provider: Provider): LoginSignIn {
  if (provider.signIn.kind !== "api_key") return provider.signIn;
  throw new UnderstudyError("usage", `${provider.id} takes a key and has no login`);
}

/** Whose tokens these are, as far as they say. */
export function readAccount(signIn: LoginSignIn, tokens: Pick<TokenSet, "idToken" | "accessToken">): Account {
  return signIn.kind === "codex"
    ? readCodexAccount(tokens.idToken, tokens.accessToken)
    : readOidcAccount(signIn.issuer, tokens.idToken);
}

/**
 * Stores a fresh login. The same account takes the place of its first login (same id, same label) and the grant it replaces is
 * revoked, best effort. When the server does not say who signed in, the login with the same label is replaced, or without a label
 * the only one there is. Throws `login_failed` for an id token that was made elsewhere or for somebody else; then nothing is stored.
 */
export async function storeLogin(input: SignInInput, tokens: TokenSet, issuer: string): Promise<SignedIn> {
  const { store, clock, provider, label } = input;
  const signIn = requireLogin(provider);
  const problem = signIn.kind === "oauth" ? idTokenProblem(tokens.idToken, issuer, signIn.clientId) : null;
  if (problem !== null) throw new UnderstudyError("login_failed", `${provider.name}: ${problem}`);
  const now = clock.now();
  const account = readAccount(signIn, tokens);
  const replaces = account.userId === null ? await findNameless(input) : null;
  const { credential, replaced } = await store.saveLogin({
    provider: provider.id,
    label: label ?? account.email ?? readPrintable(account.userId) ?? provider.id,
    account,
    grant: toGrant(tokens, issuer, now),
    at: now,
    ...(replaces === null ? {} : { replaces }),
  });
  if (replaced !== null) await revokeGrant(input, replaced);
  return { credential, renewed: replaced !== null };
}

/** The login that a new one of an unknown account takes the place of: its id, or null. */
async function findNameless({ store, provider, label }: SignInInput): Promise<string | null> {
  const nameless = (await store.listCredentials(provider.id)).filter(
    (one) => one.kind === "oauth" && one.account.userId === null,
  );
  if (label !== undefined) return nameless.find((one) => one.label === label)?.id ?? null;
  return nameless.length === 1 ? (nameless[0]?.id ?? null) : null;
}
