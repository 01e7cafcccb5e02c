/** A provider that other agents offer and this package can't reach, with the reason a person is told. */
export interface LeftOutProvider {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly reason: string;
}

const ownLogin = "it is reached by a login of its own, and only keys and the Codex login are supported";

/**
 * Known, and not there: none of them is reached with an API key over Responses, Chat Completions or Messages. Asking
 * for one gives the reason instead of "no such provider".
 */
export const leftOutProviders: readonly LeftOutProvider[] = [
  { id: "nous", aliases: [], reason: ownLogin },
  {
    id: "qwen-oauth",
    aliases: ["qwen-portal", "qwen-cli"],
    reason: `${ownLogin}; alibaba takes a key for the same models`,
  },
  {
    id: "google-gemini-cli",
    aliases: ["gemini-cli", "gemini-oauth"],
    reason: "it needs a Google login and speaks a protocol of its own; gemini takes a key for the same models",
  },
  {
    id: "copilot",
    aliases: ["github", "github-copilot", "github-models", "github-model"],
    reason: "its key is a GitHub token that must first be exchanged for a short-lived one, which is not supported",
  },
  {
    id: "copilot-acp",
    aliases: ["github-copilot-acp", "copilot-acp-agent"],
    reason: "it is a program that is started, not a service that is called",
  },
  {
    id: "bedrock",
    aliases: ["aws", "aws-bedrock", "amazon-bedrock", "amazon"],
    reason: "its requests are signed with AWS credentials, which is not supported",
  },
  {
    id: "vertex",
    aliases: ["google-vertex", "vertex-ai", "gcp-vertex"],
    reason: "it needs a Google Cloud service account; gemini takes a key for the same models",
  },
  {
    id: "minimax-oauth",
    aliases: ["minimax-portal", "minimax-global", "minimax_oauth"],
    reason: `${ownLogin}; minimax takes a key for the same models`,
  },
  {
    id: "xai-oauth",
    aliases: ["x-ai-oauth", "grok-oauth", "xai-grok-oauth"],
    reason: `${ownLogin}; xai takes a key for the same models`,
  },
  {
    id: "custom",
    aliases: [],
    reason: "a provider of your own has a name of its own: put it under providers with protocol and baseUrl",
  },
];

/** The left-out provider of this id or alias, or null. Case does not matter. */
export function findLeftOut(idOrAlias: string): LeftOutProvider | null {
  const wanted = idOrAlias.toLowerCase();
  return leftOutProviders.find(({ id, aliases }) => id === wanted || aliases.includes(wanted)) ?? null;
}
