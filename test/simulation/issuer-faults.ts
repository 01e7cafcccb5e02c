import type { Chance } from "./chance.ts";
import type { IssuerReply } from "./issuer.ts";

type Spoiled = Omit<IssuerReply, "delayMs" | "rotation">;

interface IssuerFaultPlan {
  /** In place of everything: the token is not looked at. */
  readonly before?: (chance: Chance) => Spoiled;
  /** The token is spent and rotated; then this happens to the answer. */
  readonly after?: (reply: IssuerReply, chance: Chance) => Partial<IssuerReply>;
  /** In the words of the report, what the answer came to. */
  readonly mishap?: string;
}

const page = { "content-type": "text/html" };
const json = { "content-type": "application/json" };

/** Everything that a sign-in server, or what stands in front of it, was seen to do wrong. */
const plans = {
  "refused-connection": { before: () => nothing("refused-connection") },
  "lost-request": { before: () => nothing("reset") },
  "rate-limited": {
    before: (chance) => ({
      how: "answer",
      status: 429,
      headers: { ...json, "retry-after": String(chance.whole(1, 90)) },
      text: '{"error":{"code":"rate_limit_exceeded","message":"slow down"}}',
    }),
  },
  broken: { before: () => ({ how: "answer", status: 500, headers: json, text: '{"error":"server_error"}' }) },
  "error-page": { before: () => ({ how: "answer", status: 503, headers: page, text: "<html>upstream</html>" }) },
  "firewall-page": { before: () => ({ how: "answer", status: 403, headers: page, text: "<html>blocked</html>" }) },
  silent: { after: () => ({ delayMs: 3_600_000 }), mishap: "the answer never came" },
  slow: { after: (_, chance) => ({ delayMs: chance.whole(5_000, 19_000) }) },
  "too-slow": { after: (_, chance) => ({ delayMs: chance.whole(21_000, 90_000) }), mishap: "the answer came too late" },
  "lost-answer": { after: () => ({ how: "reset" }), mishap: "the answer was lost on the wire" },
  "cut-answer": {
    after: ({ text }, chance) => ({ how: "cut", text: text.slice(0, chance.whole(1, text.length - 2)) }),
    mishap: "the answer was cut",
  },
  "unreadable-answer": {
    after: () => ({ headers: page, text: "<html>welcome back</html>" }),
    mishap: "the answer could not be read",
  },
  "error-after-rotation": {
    after: () => ({ status: 502, headers: page, text: "<html>bad gateway</html>" }),
    mishap: "a proxy put an error in place of the answer",
  },
  "other-account": {
    after: ({ text }) => ({ text: text.replace(/"access_token":"[^"]*"/, `"access_token":"${strangersToken}"`) }),
    mishap: "the answer was for another account",
  },
  "refresh-token-only": {
    after: (reply) => ({ text: JSON.stringify({ refresh_token: reply.rotation?.refreshToken, token_type: "Bearer" }) }),
  },
} as const satisfies Readonly<Record<string, IssuerFaultPlan>>;

export type IssuerFault = keyof typeof plans;

export const issuerFaults: Readonly<Record<IssuerFault, IssuerFaultPlan>> = plans;

const strangersClaims = {
  "https://api.openai.com/auth": { chatgpt_account_id: "stranger", chatgpt_user_id: "stranger" },
};
const strangersToken = `eyJ0.${Buffer.from(JSON.stringify(strangersClaims)).toString("base64url")}.c2ln`;

function nothing(how: "reset" | "refused-connection"): Spoiled {
  return { how, status: 0, headers: {}, text: "" };
}
