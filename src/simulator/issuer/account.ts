/** A person's account at the issuer. */
export interface SimulatedAccount {
  /** How tests and logs call it. */
  readonly name: string;
  readonly email: string;
  /** The `chatgpt_account_id` claim. */
  readonly accountId: string;
  /** The `chatgpt_user_id` claim. */
  readonly userId: string;
  /** The `chatgpt_plan_type` claim, for example `plus`. */
  readonly plan: string;
}

/** What a login or refresh hands out. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
  /** Unix ms at which the access token ends. */
  readonly expiresAt: number;
}

/** The claims of an account's tokens, as OpenAI's issuer writes them. Times in Unix seconds. */
export function accountClaims(
  account: SimulatedAccount,
  issuer: string,
  times: { issuedAt: number; expiresAt: number },
  id: string,
): Record<string, unknown> {
  return {
    iss: issuer,
    sub: `auth0|${account.userId}`,
    jti: id,
    iat: times.issuedAt,
    exp: times.expiresAt,
    email: account.email,
    email_verified: true,
    "https://api.openai.com/profile": { email: account.email, email_verified: true },
    "https://api.openai.com/auth": {
      chatgpt_account_id: account.accountId,
      chatgpt_plan_type: account.plan,
      chatgpt_user_id: account.userId,
      user_id: account.userId,
    },
  };
}
