import type { ProtocolName } from "../core/target.ts";

/** Clients that are started with settings for the gateway. */
export const clientNames = ["codex", "claude", "opencode"] as const;
export type ClientName = (typeof clientNames)[number];

/** The variable that holds the client key in a client's environment. */
export const keyVariable = "UNDERSTUDY_CLIENT_KEY";

export interface ClientSettingsInput {
  /** The gateway, without a path. */
  readonly url: string;
  readonly clientKey: string;
  /** What the client calls its model: a route, `provider/model`, or a model. */
  readonly model: string;
  /** What the route's primary speaks: where a client can choose, it speaks the same, and its bytes go through. */
  readonly dialect: ProtocolName;
}

/** How a client is started so that it uses the gateway, without a change to any file of its user. */
export interface ClientSettings {
  /** Program, as found on the PATH. */
  readonly program: string;
  /** How it is installed, for whoever does not have it. */
  readonly install: string;
  /** Arguments before the person's own. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables that would lead it past the gateway. */
  readonly unset: readonly string[];
  /** What to put where, for a person who rather writes it down. Without the key itself. */
  readonly written: readonly string[];
}

export function clientSettings(client: ClientName, input: ClientSettingsInput): ClientSettings {
  switch (client) {
    case "codex":
      return codex(input);
    case "claude":
      return claude(input);
    case "opencode":
      return opencode(input);
  }
}

/** A provider of its own with a key from the environment: the one setting with which Codex sends model calls and nothing else. */
function codex({ url, clientKey, model }: ClientSettingsInput): ClientSettings {
  const fields = { name: "understudy", base_url: `${url}/v1`, env_key: keyVariable, wire_api: "responses" };
  const inline = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return {
    program: "codex",
    install: "npm install -g @openai/codex",
    args: [
      "-c",
      `model=${JSON.stringify(model)}`,
      "-c",
      'model_provider="understudy"',
      "-c",
      `model_providers.understudy={${inline.join(",")}}`,
    ],
    env: { [keyVariable]: clientKey },
    unset: [],
    written: [
      "# ~/.codex/config.toml",
      `model = ${JSON.stringify(model)}`,
      'model_provider = "understudy"',
      "",
      "[model_providers.understudy]",
      ...Object.entries(fields).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
      "",
      "# in the shell",
      `export ${keyVariable}="$(understudy serve --print-key)"`,
    ],
  };
}

/** Claude Code asks its small model for titles and the like; every one of its models is the route. */
function claude({ url, clientKey, model }: ClientSettingsInput): ClientSettings {
  const shown: Record<string, string> = {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_MODEL: model,
    ANTHROPIC_DEFAULT_OPUS_MODEL: model,
    ANTHROPIC_DEFAULT_SONNET_MODEL: model,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
    ANTHROPIC_SMALL_FAST_MODEL: model,
  };
  return {
    program: "claude",
    install: "npm install -g @anthropic-ai/claude-code",
    args: [],
    env: { ...shown, ANTHROPIC_AUTH_TOKEN: clientKey },
    unset: ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"],
    written: [
      "# in the shell",
      ...Object.entries(shown).map(([name, value]) => `export ${name}=${value}`),
      'export ANTHROPIC_AUTH_TOKEN="$(understudy serve --print-key)"',
      "unset ANTHROPIC_API_KEY",
    ],
  };
}

const opencodePackages: Readonly<Record<ProtocolName, string>> = {
  responses: "@ai-sdk/openai",
  "chat-completions": "@ai-sdk/openai-compatible",
  messages: "@ai-sdk/anthropic",
};

/** opencode merges what stands in OPENCODE_CONFIG_CONTENT over the person's own files. */
function opencode({ url, clientKey, model, dialect }: ClientSettingsInput): ClientSettings {
  const config = {
    provider: {
      understudy: {
        name: "Understudy",
        npm: opencodePackages[dialect],
        options: { baseURL: `${url}/v1`, apiKey: `{env:${keyVariable}}` },
        models: { [model]: { name: model } },
      },
    },
    model: `understudy/${model}`,
    small_model: `understudy/${model}`,
  };
  return {
    program: "opencode",
    install: "npm install -g opencode-ai",
    args: [],
    env: { [keyVariable]: clientKey, OPENCODE_CONFIG_CONTENT: JSON.stringify(config) },
    unset: [],
    written: [
      "# opencode.json",
      ...JSON.stringify(config, null, 2).split("\n"),
      "",
      "# in the shell",
      `export ${keyVariable}="$(understudy serve --print-key)"`,
    ],
  };
}
