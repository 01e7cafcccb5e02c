import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readModelList } from "../../src/providers/model-list.ts";
import { codexUsageUrl } from "../../src/providers/codex-usage.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { resolveProtocol } from "../../src/providers/resolve.ts";
import type { CliStage } from "../cli/rig.ts";
import { type CommandCase, run } from "./case.ts";

const listed = async (stage: CliStage, ...args: string[]): Promise<string[]> =>
  (await run(stage, "models", "codex", ...args)).out.split("\n").filter((line) => line !== "");

/** The configuration without its comments; empty when there is none. */
const config = (stage: CliStage): string => {
  try {
    return readFileSync(join(stage.home, "config.yaml"), "utf8").replaceAll(/^#.*\n/gm, "");
  } catch {
    return "";
  }
};

/** The peer's `test_codex_models.py`, `test_codex_cli_model_picker.py`, and the models and usage of its later files. */
export const modelCases: readonly CommandCase[] = [
  {
    id: "H17",
    title: "without a login there is no list",
    peer: "the Codex CLI's config.toml and models_cache.json give one, with built-in names behind it",
    async play(stage) {
      mkdirSync(join(stage.home, ".codex"));
      writeFileSync(join(stage.home, ".codex", "config.toml"), 'model = "gpt-5.2-codex"\n');
      writeFileSync(
        join(stage.home, ".codex", "models_cache.json"),
        JSON.stringify({ models: [{ slug: "gpt-5.4", priority: 1 }] }),
      );
      const { code, out, said } = await run(stage, "models", "codex");
      return { code, out, named: said.includes("understudy auth add codex") };
    },
    ours: { code: 3, out: "", named: true },
    differs: true,
  },
  {
    id: "H20",
    title: "the list is what the provider says",
    peer: "names that the provider does not list yet are added when an older one of their kind is listed",
    async play(stage) {
      await stage.addCodexLogin("ann");
      stage.simulator.codex.models = ["gpt-5.2-codex"];
      return { models: await listed(stage) };
    },
    ours: { models: ["codex/gpt-5.2-codex"] },
    differs: true,
  },
  {
    id: "H21",
    title: "the list is asked for with the login's own token",
    peer: "the access token of the runtime goes with the request; choosing nothing changes nothing",
    async play(stage) {
      await stage.addCodexLogin("ann");
      await listed(stage);
      const request = stage.simulator.codex.requests.find(({ path }) => path.endsWith("/models"));
      return { asked: request?.credential, config: config(stage) };
    },
    ours: { asked: "ann", config: "" },
  },
  {
    id: "H25",
    title: "the provider before the slash is no part of the model (H24)",
    peer: "zai/glm-5.1 for zai becomes glm-5.1",
    async play(stage) {
      await run(stage, "model", "zai/glm-5.1");
      const { out } = await run(stage, "routes", "--json");
      const { routes } = JSON.parse(out) as { routes: { targets: { provider: string; model: string }[] }[] };
      return { target: [routes[0]?.targets[0]?.provider, routes[0]?.targets[0]?.model] };
    },
    ours: { target: ["zai", "glm-5.1"] },
  },
  {
    id: "H26",
    title: "a bare name is no target (H28)",
    peer: "gpt-5.3-codex is taken to be Codex's, and so is any other bare name",
    async play(stage) {
      const { code, said } = await run(stage, "model", "gpt-5.3-codex");
      return {
        code,
        says: /provider\/model|no provider is called|understudy model codex/.test(said),
        config: config(stage),
      };
    },
    ours: { code: 2, says: true, config: "" },
    differs: true,
  },
  {
    id: "H29",
    title: "another provider before the slash is another provider (H30)",
    peer: "openai/gpt-5.4 and anthropic/claude-opus-4.6 lose what is before the slash when Codex is the provider",
    async play(stage) {
      await run(stage, "model", "openai/gpt-5.4");
      return { config: config(stage) };
    },
    ours: { config: "routes:\n  main: [openai/gpt-5.4]\n" },
    differs: true,
  },
  {
    id: "H32",
    title: "OpenCode Zen speaks to Claude in Claude's protocol",
    peer: "api_mode is anthropic_messages",
    play() {
      const zen = findProvider(builtInProviders, "opencode-zen");
      return Promise.resolve({
        protocol: zen === null ? null : resolveProtocol(zen, "claude-sonnet-4-6", zen.baseUrl ?? ""),
      });
    },
    ours: { protocol: "messages" },
  },
  {
    id: "H33",
    title: "nobody chooses a model for the person (H34, H132)",
    peer: "the first listed model, or gpt-5.3-codex when there is no list, becomes the default",
    async play(stage) {
      await stage.addCodexLogin("ann");
      const { code, said } = await run(stage, "ask", "hello");
      return { code, says: /no route is configured/.test(said), calls: stage.simulator.codex.requests.length };
    },
    ours: { code: 2, says: true, calls: 0 },
    differs: true,
  },
  {
    id: "H134",
    title: "the model of the configuration stays (H133)",
    peer: "a configured model is not replaced by the first of the list",
    async play(stage) {
      stage.writeConfig("routes: { main: [codex/gpt-5.3-codex] }\n");
      await stage.addCodexLogin("ann");
      await run(stage, "ask", "hello");
      const body = stage.simulator.codex.requests.findLast(({ method }) => method === "POST")?.body as {
        model?: string;
      };
      return { model: body.model };
    },
    ours: { model: "gpt-5.3-codex" },
  },
  {
    id: "H136",
    title: "a provider that does not exist stops at once",
    peer: "a warning, then any provider that is found",
    async play(stage) {
      stage.writeConfig("routes: { main: [invalid-provider/m] }\n");
      stage.setEnv({ OPENAI_API_KEY: stage.simulator.openai.keys.add("k") });
      const { code, said } = await run(stage, "ask", "hello");
      return {
        code,
        place: /config\.yaml:1:\d+: routes\.main\[0\]/.test(said),
        calls: stage.simulator.requests.length,
      };
    },
    ours: { code: 2, place: true, calls: 0 },
    differs: true,
  },
  {
    id: "H36",
    title: "Claude Code's login is left where it is",
    peer: "~/.claude/.credentials.json makes anthropic a provider that is ready",
    async play(stage) {
      mkdirSync(join(stage.home, ".claude"));
      const login = {
        accessToken: "sk-ant-oat01-0123456789",
        refreshToken: "sk-ant-ort01-0123456789",
        expiresAt: Date.now() + 3_600_000,
      };
      writeFileSync(join(stage.home, ".claude", ".credentials.json"), JSON.stringify({ claudeAiOauth: login }));
      return { code: (await run(stage, "auth", "status", "anthropic")).code };
    },
    ours: { code: 2 },
    differs: true,
  },
  {
    id: "H37",
    title: "who has no credentials is not listed",
    peer: "openai-codex is not in the list of providers",
    async play(stage) {
      stage.setEnv({ OPENAI_API_KEY: stage.simulator.openai.keys.add("k") });
      return { codex: (await run(stage, "models")).out.includes("codex/") };
    },
    ours: { codex: false },
  },
  {
    id: "H162",
    title: "models that the public API does not have are listed, hidden ones are not",
    peer: "supported_in_api false stays, visibility hidden goes",
    play() {
      const codex = findProvider(builtInProviders, "codex");
      const models = [
        { slug: "gpt-5.5" },
        { slug: "gpt-5.3-codex-spark", supported_in_api: false },
        { slug: "gpt-5-internal", visibility: "hidden" },
      ];
      return Promise.resolve({
        ids:
          codex === null
            ? null
            : readModelList(codex, { models })
                ?.map(({ id }) => id)
                .toSorted((a, b) => a.localeCompare(b)),
      });
    },
    ours: { ids: ["gpt-5.3-codex-spark", "gpt-5.5"] },
  },
  {
    id: "H176",
    title: "where usage is asked for",
    peer: "beside …/backend-api/codex it is wham/usage, elsewhere api/codex/usage",
    play: () =>
      Promise.resolve({
        urls: ["https://chatgpt.com/backend-api/codex", "https://proxy.example/codex"].map(codexUsageUrl),
      }),
    ours: { urls: ["https://chatgpt.com/backend-api/wham/usage", "https://proxy.example/api/codex/usage"] },
  },
  {
    id: "H180",
    title: "asking for usage ends no rest (H177, H178, H181)",
    peer: "windows below 100 % bring a resting row back at once; the answer is remembered for five minutes",
    async play(stage) {
      await stage.addCodexLogin("ann");
      stage.simulator.codex.script("quota-exhausted");
      await run(stage, "ask", "--route", "codex/gpt-5.5", "hello");
      await run(stage, "usage");
      const before = await run(stage, "auth", "status", "codex");
      await run(stage, "auth", "reset", "codex");
      return { resting: before.code, after: (await run(stage, "auth", "status", "codex")).code };
    },
    ours: { resting: 1, after: 0 },
    differs: true,
  },
  {
    id: "H182",
    title: "the account's id goes with the request for models",
    peer: "the header ChatGPT-Account-Id holds the claim of the token",
    async play(stage) {
      const { account } = await stage.addCodexLogin("ann");
      await listed(stage);
      const request = stage.simulator.codex.requests.find(({ path }) => path.endsWith("/models"));
      return { header: request?.headers["chatgpt-account-id"] === account.accountId };
    },
    ours: { header: true },
  },
  {
    id: "HV1",
    title: "a model that is not listed is taken, with a word of warning",
    peer: "accepted and kept, not recognized, with similar names (its two model_validation tests)",
    async play(stage) {
      await stage.addCodexLogin("ann");
      const { code, said } = await run(stage, "model", "codex/gpt-5.3-codex-spark");
      return {
        code,
        warned: /codex does not list gpt-5\.3-codex-spark: did you mean "gpt-5\.3-codex"/.test(said),
        config: config(stage),
      };
    },
    ours: { code: 0, warned: true, config: "routes:\n  main: [codex/gpt-5.3-codex-spark]\n" },
  },
];
