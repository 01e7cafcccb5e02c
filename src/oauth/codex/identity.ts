import type { Secret } from "../../core/secret.ts";
import { asObject, type Fields, readPrintable, readText } from "../answer-body.ts";
import { readJwtClaims } from "../jwt.ts";

/** Whose login a pair of Codex tokens is, as far as they say. */
export interface CodexAccount {
  /** Claim `chatgpt_account_id`; goes out as `ChatGPT-Account-ID`. */
  readonly id: string | null;
  /** Claim `chatgpt_user_id`, else `user_id`, else `sub`. */
  readonly userId: string | null;
  readonly email: string | null;
  /** Claim `chatgpt_plan_type` as it is: the list of plans grows. */
  readonly plan: string | null;
}

const authClaim = "https://api.openai.com/auth";
const profileClaim = "https://api.openai.com/profile";

/** Reads the account from the id token; what that does not say, from the access token. Unreadable tokens say nothing. */
export function readCodexAccount(idToken: Secret | null, accessToken: Secret): CodexAccount {
  const fromId = readClaims(idToken);
  const fromAccess = readClaims(accessToken);
  return {
    id: fromId.id ?? fromAccess.id,
    userId: fromId.userId ?? fromAccess.userId,
    email: fromId.email ?? fromAccess.email,
    plan: fromId.plan ?? fromAccess.plan,
  };
}

/** True for an account on the FedRAMP cloud (claim `chatgpt_account_is_fedramp`), whose requests carry a header of their own. */
export function isFedrampAccount(idToken: Secret | null, accessToken: Secret): boolean {
  return [idToken, accessToken].some((token) => authClaims(token)["chatgpt_account_is_fedramp"] === true);
}

function readClaims(token: Secret | null): CodexAccount {
  const claims = (token === null ? null : readJwtClaims(token.reveal())) ?? {};
  const auth = asObject(claims[authClaim]) ?? {};
  return {
    id: readText(auth["chatgpt_account_id"]),
    userId: readText(auth["chatgpt_user_id"]) ?? readText(auth["user_id"]) ?? readText(claims["sub"]),
    email: readPrintable(claims["email"]) ?? readPrintable(asObject(claims[profileClaim])?.["email"]),
    plan: readPrintable(auth["chatgpt_plan_type"]),
  };
}

function authClaims(token: Secret | null): Fields {
  return asObject((token === null ? null : readJwtClaims(token.reveal()))?.[authClaim]) ?? {};
}
