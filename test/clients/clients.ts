import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { clientSettings } from "../../src/gateway/client-settings.ts";
import { clientKey, type ClientStage } from "./stage.ts";

const folder = import.meta.dirname;
const bin = join(folder, "node_modules");

/** How a client is started for one prompt. */
export interface ClientRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Client {
  readonly name: string;
  /** The call of its own shell tool that the model makes. */
  readonly tool: { readonly name: string; readonly input: unknown };
  /** Requests besides the one that was asked for: a title, for instance. */
  readonly extra: number;
  readonly isSdk?: true;
  /** What it looks up in the environment, besides what `understudy run` sets. */
  readonly run: (stage: ClientStage, ask: { prompt: string; model: string; tool: boolean }) => ClientRun;
}

/** What the tool is to print: only a client that ran it can show it to the model. */
export const spoken = "the-tool-was-here";
const command = `echo ${spoken}`;

const codex: Client = {
  name: "Codex 0.169.0",
  tool: { name: "exec_command", input: { cmd: command } },
  extra: 0,
  run(stage, { prompt, model }) {
    const { args, env } = clientSettings("codex", { ...inputFor(stage), model });
    const home = join(stage.home, "codex");
    mkdirSync(home, { recursive: true });
    // Less patience than any upstream silence here: only signs of life that it counts keep it from asking again.
    const impatient = ["-c", "model_providers.understudy.stream_idle_timeout_ms=2000"];
    const flags = ["exec", "--skip-git-repo-check", "--ephemeral", "--ignore-user-config"];
    return {
      program: join(bin, ".bin/codex"),
      args: [...args, ...impatient, ...flags, prompt],
      env: { ...env, CODEX_HOME: home },
    };
  },
};

const claude: Client = {
  name: "Claude Code 2.1.197",
  tool: { name: "Bash", input: { command, description: "Says something" } },
  extra: 0,
  run(stage, { prompt, model }) {
    const { env } = clientSettings("claude", { ...inputFor(stage), model });
    return {
      program: join(bin, `@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`),
      args: ["-p", prompt, "--allowedTools", "Bash"],
      env: { ...env, CLAUDE_CONFIG_DIR: join(stage.home, "claude"), CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
    };
  },
};

const opencode: Client = {
  name: "opencode 1.18.33",
  tool: { name: "bash", input: { command, description: "Says something" } },
  extra: 1,
  run(stage, { prompt, model }) {
    const { env } = clientSettings("opencode", { ...inputFor(stage), model });
    return {
      program: join(bin, `opencode-${process.platform}-${process.arch}/bin/opencode`),
      args: ["run", prompt],
      env: { ...env, OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_MODELS_FETCH: "1" },
    };
  },
};

function sdk(name: string, which: string): Client {
  return {
    name,
    tool: { name: "shell", input: { command } },
    extra: 0,
    isSdk: true,
    run: (stage, { prompt, model, tool }) => ({
      program: process.execPath,
      args: [
        join(folder, "sdk-client.mjs"),
        which,
        stage.gateway.url,
        clientKey,
        model,
        prompt,
        tool ? "tool" : "plain",
      ],
      env: {},
    }),
  };
}

function inputFor(stage: ClientStage): { url: string; clientKey: string; dialect: "responses" } {
  return { url: stage.gateway.url, clientKey, dialect: "responses" };
}

export const clients: readonly Client[] = [
  codex,
  claude,
  opencode,
  sdk("openai, Responses", "openai-responses"),
  sdk("openai, Chat Completions", "openai-chat"),
  sdk("@anthropic-ai/sdk", "anthropic"),
  sdk("ai (AI SDK)", "ai-sdk"),
];
