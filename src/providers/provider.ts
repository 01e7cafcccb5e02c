import type { ProtocolName } from "../core/target.ts";
import type { OAuthCredential } from "../credentials/credential.ts";

/** How a person signs in to a provider. */
export type SignIn =
  /** A key. `env` lists the variables it is read from, the first usable one first. */
  | { readonly kind: "api_key"; readonly env: readonly string[]; readonly required: boolean }
  /** OpenAI's device code and token endpoint; see `src/oauth/codex/`. */
  | { readonly kind: "codex"; readonly issuer: string; readonly issuerEnv: string; readonly clientId: string }
  | OAuthSignIn;

/** A login at any server that keeps to the standards, as a public client; its endpoints are found by discovery. */
export interface OAuthSignIn {
  readonly kind: "oauth";
  readonly issuer: string;
  readonly clientId: string;
  /** Blank-separated. */
  readonly scope: string;
  /** What `auth add` does unless it is told: a code that is typed elsewhere, or this machine's browser. */
  readonly flow: "device" | "browser";
  /** Where the browser comes back to, on this machine. Null: `http://127.0.0.1:PORT/callback` on a free port (RFC 8252 §7.3). */
  readonly redirectUri: string | null;
  /** Origins besides the issuer's that its endpoints may lie at. */
  readonly trustedOrigins: readonly string[];
}

/** A way to sign in that ends in a grant with tokens, not in a key. */
export type LoginSignIn = Exclude<SignIn, { readonly kind: "api_key" }>;

/** Which protocol a model of this provider speaks. The first rule whose pattern fits the model name wins. */
export interface ProtocolRule {
  readonly model: RegExp;
  readonly protocol: ProtocolName;
}

/** What a provider insists on in the body of a request. */
export interface BodyRules {
  /** Top-level keys set to this value, whatever the caller said. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Top-level keys taken out. */
  readonly remove?: readonly string[];
  /** The provider only answers as a stream; a caller who asked for none gets it folded. */
  readonly alwaysStream?: boolean;
}

/**
 * A key that is not used here, with the reason that a person is told: one that starts with `prefix`, wherever it comes
 * from, or whatever the environment variable `env` holds.
 */
export type RefusedKey =
  | { readonly prefix: string; readonly reason: string }
  | { readonly env: string; readonly reason: string };

/** A service that sells model calls. Data; one file each in this folder. */
export interface Provider {
  readonly id: string;
  /** For a person. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly signIn: SignIn;
  /** The protocol of models that no rule names. */
  readonly protocol: ProtocolName;
  readonly protocolRules?: readonly ProtocolRule[];
  /** Null when there is no default and the person must give one. */
  readonly baseUrl: string | null;
  /** Environment variable that overrides the base URL. */
  readonly baseUrlEnv: string | null;
  /** Base URLs that a key's shape asks for: the first prefix that fits wins. */
  readonly baseUrlByKeyPrefix?: readonly { readonly prefix: string; readonly baseUrl: string }[];
  /**
   * Base URLs whose path says another protocol, for example one that ends in `/anthropic`. Default:
   * `endingConventions` in `resolve.ts`; an empty list switches it off.
   */
  readonly protocolByBaseUrl?: readonly { readonly ending: RegExp; readonly protocol: ProtocolName }[];
  /** Turns a base URL that people commonly give into the one that reaches this protocol. */
  readonly baseUrlRewrite?: { readonly from: RegExp; readonly to: string };
  /** Plain http to another machine is accepted. Only a person's configuration sets it. */
  readonly allowInsecure?: boolean;
  readonly refusedKeys?: readonly RefusedKey[];
  readonly bodyRules?: BodyRules;
  /** Finds the beginning of a conversation in its cache by `prompt_cache_key`, over Responses. */
  readonly cachesByKey?: boolean;
  /** The cost that its answers report is in USD. Without it a reported cost says nothing. */
  readonly reportsUsd?: boolean;
  /** Extra headers for a request with this credential. Lower-case names. Never holds the secret itself. */
  readonly headers?: (credential: OAuthCredential | null) => Record<string, string>;
}
