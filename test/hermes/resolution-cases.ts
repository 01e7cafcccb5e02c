import { expect } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { describeBlocked } from "../../src/turn/advice.ts";
import { forwardRequestHeaders } from "../../src/turn/forwarded-headers.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { place, problems, resolved } from "./places.ts";
import { playOnce, well } from "./theatre.ts";

const key = "a-key-of-0123456789abcdef";
const other = "another-key-0123456789abcdef";

/** A provider of a person's own, with these settings. */
const own = (settings: string, name = "mine"): string => `providers: { ${name}: { ${settings} } }`;
/** The same, speaking Chat Completions at this address. */
const at = (url: string, more = ""): string => own(`protocol: chat-completions, baseUrl: ${url}${more}`);

const protocols = (target: string, ...settings: readonly string[]): readonly unknown[] =>
  settings.map((text) => place(target, text).protocol);

/** Nobody chooses a provider for the person. */
const noneChosen = (env: Readonly<Record<string, string>>, config = ""): void =>
  expect(() => resolveRoute(resolved(config, env))).toThrow(/no route is configured: name a target such as/);

/** What a caller says of keys goes nowhere, and a URL is the configuration's. */
const noKeyOfTheCaller = (): void => {
  const headers = { authorization: `Bearer ${key}`, "x-api-key": key, "api-key": key };
  expect(forwardRequestHeaders(Object.entries(headers))).toEqual({});
};

const inTheFile = (): void => {
  const said = problems(at("https://a.example/v1", `, apiKey: ${key}`));
  expect(said).toMatch(/apiKey/);
  expect(said).not.toContain(key);
};

const leftOut = "this login is left out, and said so when it is asked for";
const nous = "the login of the Nous Portal is left out, and said so when it is asked for";
const unnamed = "there is no provider called custom: a provider of one's own has a name";
const noModel = "a model belongs to a target, not to a provider: a provider of one's own needs none";
const body = "what stands in a request's body is the caller's to say: it reaches the provider as it was written";
const profiles = "there are no profiles below a root: one home folder has one store";
const azure = "https://me.openai.azure.com/openai/v1";

/** E: which provider, address, protocol and key a turn goes to. */
export const resolutionCases: readonly PeerCase[] = [
  same("E1", "Codex, a pool with a login", "its token, the pool", async () =>
    expect((await playOnce({ provider: "codex", pool: [well] })).asked).toEqual(["k1"]),
  ),
  ...notApplicable(
    nous,
    ["E2", "a variable with the URL of Nous", "that URL, the key of the pool"],
    ["E40", "a key of Nous that is over", "refreshed"],
    ["E81", "Nous is asked for and has no login", "the error is told"],
  ),
  same("E4", "Anthropic, with an aggregator's or OpenAI's URL in the configuration", "its own URL", () => {
    const elsewhere =
      "providers: { openrouter: { baseUrl: https://a.example/v1 }, openai: { baseUrl: https://b.example/v1 } }";
    expect(place("anthropic/c", elsewhere).url).toBe("https://api.anthropic.com");
  }),
  same("E5", "Anthropic at Azure", "that URL is kept", () =>
    expect(
      place("anthropic/c", own("baseUrl: https://me.services.ai.azure.com/anthropic/", "anthropic")),
    ).toMatchObject({
      url: "https://me.services.ai.azure.com/anthropic",
      protocol: "messages",
    }),
  ),
  better("E6", "a key and a URL of the caller's own", "they are used, the pool is not asked", noKeyOfTheCaller),
  same("E8", "Codex without a pool", "Responses at the ChatGPT backend", () =>
    expect(place("openai-codex/gpt-5.5")).toMatchObject({
      provider: "codex",
      protocol: "responses",
      url: "https://chatgpt.com/backend-api/codex",
    }),
  ),
  ...notApplicable(
    leftOut,
    ["E9", "a Qwen login", "Chat Completions at its portal"],
    ["E10", "a pool row of the Qwen program", "its key"],
    ["E12", "auto, and the Qwen login fails", "another provider"],
    ["E122", "a MiniMax login", "Messages"],
    ["E124", "a MiniMax pool that says Chat Completions", "Messages all the same"],
  ),
  same("E13", "LM Studio with a key", "Chat Completions with that key", () =>
    expect(place("lmstudio/m", "", { LM_API_KEY: key })).toMatchObject({
      protocol: "chat-completions",
      keys: ["LM_API_KEY"],
    }),
  ),
  better("E14", "LM Studio on another machine, without a key", "that URL, with a made-up key", () => {
    const lan = "baseUrl: http://192.168.1.5:1234/v1";
    expect(problems(own(lan, "lmstudio"))).toMatch(/plain http is only for this machine, or with allowInsecure: true/);
    expect(place("lmstudio/m", own(`${lan}, allowInsecure: true`, "lmstudio"))).toMatchObject({
      url: "http://192.168.1.5:1234/v1",
      keys: ["none"],
    });
  }),
  same("E16", "LM Studio at …/api/v1", "…/v1", () =>
    expect(place("lmstudio/m", own("baseUrl: http://127.0.0.1:1234/api/v1", "lmstudio")).url).toBe(
      "http://127.0.0.1:1234/v1",
    ),
  ),
  better("E17", "OpenRouter with a key and a URL of the caller's", "they are used", noKeyOfTheCaller),
  better("E18", "auto, a pool of OpenRouter", "OpenRouter", () => noneChosen({ OPENROUTER_API_KEY: key })),
  same("E20", "OpenRouter, with Codex's URL in the configuration", "OpenRouter's URL", () =>
    expect(place("openrouter/m", own("baseUrl: https://proxy.example/codex", "codex")).url).toBe(
      "https://openrouter.ai/api/v1",
    ),
  ),
  better("E21", "auto, and a custom URL", "that URL", () => noneChosen({}, at("https://a.example/v1"))),
  same("E22", "keys for OpenAI and for OpenRouter", "OpenRouter gets its own", () =>
    expect(place("openrouter/m", "", { OPENAI_API_KEY: key, OPENROUTER_API_KEY: other }).keys).toEqual([
      "OPENROUTER_API_KEY",
    ]),
  ),
  better("E24", "a custom URL with a key beside it in the file", "that key", inTheFile),
  same(
    "E25",
    "a server on this machine; keys for OpenAI and OpenRouter in the environment",
    "its URL, neither key",
    () =>
      expect(
        place("mine/m", at("http://127.0.0.1:9000/v1"), { OPENAI_API_KEY: key, OPENROUTER_API_KEY: other }),
      ).toMatchObject({ url: "http://127.0.0.1:9000/v1", keys: ["none"] }),
  ),
  better("E26", "a URL and a key in the file, others in the environment", "those of the file", () => {
    inTheFile();
    const mine = at("https://a.example/v1", ", apiKeyEnv: MY_KEY");
    expect(
      place("mine/m", mine, { MY_KEY: key, OPENAI_API_KEY: other, OPENAI_BASE_URL: "https://b.example" }),
    ).toMatchObject({ url: "https://a.example/v1", keys: ["MY_KEY"] });
  }),
  better("E28", "a key in the file, another in the environment", "that of the file", inTheFile),
  ...notApplicable(
    unnamed,
    ["E29", "custom is asked for; a server on this machine is configured", "that server"],
    ["E30", "a variable CUSTOM_BASE_URL", "that URL"],
    ["E34", "custom is asked for, another name is configured", "the server on this machine"],
    ["E74", "custom is asked for", "custom"],
    ["E77", "custom with a key", "custom"],
  ),
  same("E32", "a provider of one's own is asked for by its name", "it", () =>
    expect(place("mine/m", at("https://a.example/v1"))).toMatchObject({
      provider: "mine",
      url: "https://a.example/v1",
    }),
  ),
  better("E33", "a provider called custom, with a key in the file", "that URL and key", inTheFile),
  same("E36", "a provider of one's own that names the variable of its key", "that variable", () =>
    expect(
      place("mine/m", at("https://a.example/v1", ", apiKeyEnv: MYCORP_API_KEY"), { MYCORP_API_KEY: key }).keys,
    ).toEqual(["MYCORP_API_KEY"]),
  ),
  same("E37", "two at one URL", "each has its own key and protocol", () => {
    const two = `providers:
  one: { protocol: messages, baseUrl: https://a.example, apiKeyEnv: ONE }
  two: { protocol: responses, baseUrl: https://a.example, apiKeyEnv: TWO }`;
    const env = { ONE: key, TWO: other };
    expect([place("one/m", two, env), place("two/m", two, env)]).toMatchObject([
      { protocol: "messages", keys: ["ONE"] },
      { protocol: "responses", keys: ["TWO"] },
    ]);
  }),
  same("E38", "a server on this machine without a key; OpenAI's is in the environment", "no key", () =>
    expect(place("mine/m", at("http://localhost:8080/v1"), { OPENAI_API_KEY: key }).keys).toEqual(["none"]),
  ),
  better("E41", "one's own provider has the name of another's alias", "one's own", () =>
    expect(problems(at("https://a.example/v1").replace("mine", "grok"))).toMatch(
      /expected xai, of which grok is another name, or a name that is not taken/,
    ),
  ),
  better("E42", "one's own provider has the name of a built-in one", "it is passed over", () =>
    expect(place("deepseek/m", own("baseUrl: https://a.example/v1", "deepseek"))).toMatchObject({
      provider: "deepseek",
      url: "https://a.example/v1",
    }),
  ),
  better("E44", "a variable moves OpenRouter to a mirror", "that URL, without the pool", () =>
    expect(
      place("openrouter/m", "", { OPENROUTER_BASE_URL: "https://mirror.example/v1", OPENROUTER_API_KEY: key }),
    ).toMatchObject({ url: "https://mirror.example/v1", keys: ["OPENROUTER_API_KEY"] }),
  ),
  better("E45", "asked for, configured, in a variable, none of them", "in this order, then auto", () => {
    const config = "routes: { day: [codex/a], night: [openrouter/b] }\ndefaultRoute: night";
    const names = ["day", undefined].map((name) => resolveRoute(resolved(config), name).name);
    expect(names).toEqual(["day", "night"]);
    noneChosen({ HERMES_INFERENCE_PROVIDER: "nous" });
  }),
  same("E46", "a built-in name with an address of one's own", "that address", () =>
    expect(place("minimax-cn/m", own("baseUrl: https://mine.example/v1", "minimax-cn")).url).toBe(
      "https://mine.example/v1",
    ),
  ),
  same("E48", "OpenAI itself", "Responses", () => expect(place("openai/gpt-5.5").protocol).toBe("responses")),
  same("E49", "a protocol said for another provider", "this one's own", () =>
    expect(place("zai/glm-5", own("protocol: messages", "opencode-go")).protocol).toBe("chat-completions"),
  ),
  better("E50", "a protocol that does not exist", "Chat Completions", () =>
    expect(problems(own("protocol: bogus_mode, baseUrl: https://a.example"))).toMatch(
      /"bogus_mode"; expected one of responses, chat-completions, messages/,
    ),
  ),
  same("E52", "one's own provider that speaks Messages", "Messages", () =>
    expect(protocols("mine/m", own("protocol: messages, baseUrl: https://a.example"))).toEqual(["messages"]),
  ),
  same("E53", "one's own provider that speaks Responses", "Responses", () =>
    expect(protocols("mine/m", own("protocol: responses, baseUrl: https://a.example"))).toEqual(["responses"]),
  ),
  better("E54", "one's own provider without a protocol", "Chat Completions", () =>
    expect(problems(own("baseUrl: https://a.example/v1"))).toMatch(/protocol: missing/),
  ),
  same("E56", "MiniMax at …/anthropic", "Messages", () =>
    expect(place("minimax/m", "", { MINIMAX_BASE_URL: "https://api.minimax.io/anthropic" }).protocol).toBe("messages"),
  ),
  same("E57", "MiniMax, Messages by configuration", "Messages", () =>
    expect(protocols("minimax/m", own("protocol: messages", "minimax"))).toEqual(["messages"]),
  ),
  same("E58", "MiniMax", "Messages at its default URL", () =>
    expect(place("minimax/m")).toMatchObject({ protocol: "messages", url: "https://api.minimax.io/anthropic" }),
  ),
  same("E60", "MiniMax in China at …/v1", "Chat Completions", () =>
    expect(place("minimax-cn/m", "", { MINIMAX_CN_BASE_URL: "https://api.minimaxi.com/v1" }).protocol).toBe(
      "chat-completions",
    ),
  ),
  same("E61", "MiniMax, Chat Completions by configuration", "Chat Completions", () =>
    expect(protocols("minimax/m", own("protocol: chat-completions", "minimax"))).toEqual(["chat-completions"]),
  ),
  same("E62", "a URL for MiniMax in the configuration", "that URL", () =>
    expect(place("minimax/m", own("baseUrl: https://mine.example/anthropic", "minimax")).url).toBe(
      "https://mine.example/anthropic",
    ),
  ),
  same("E64", "a URL for another provider", "MiniMax's default", () =>
    expect(place("minimax/m", own("baseUrl: https://a.example/v1", "openrouter")).url).toBe(
      "https://api.minimax.io/anthropic",
    ),
  ),
  same("E65", "a key for DashScope", "Chat Completions at its international address", () =>
    expect(place("alibaba/m", "", { DASHSCOPE_API_KEY: key })).toMatchObject({
      protocol: "chat-completions",
      url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    }),
  ),
  same("E66", "DashScope at …/apps/anthropic", "Messages", () =>
    expect(
      protocols("alibaba/m", own("baseUrl: https://dashscope-intl.aliyuncs.com/apps/anthropic", "alibaba")),
    ).toEqual(["messages"]),
  ),
  same("E68", "Claude at OpenCode Zen", "Messages", () =>
    expect(place("opencode-zen/claude-sonnet-4-6").protocol).toBe("messages"),
  ),
  same("E69", "MiniMax at OpenCode Go", "Messages", () =>
    expect(place("opencode-go/minimax-m2.5").protocol).toBe("messages"),
  ),
  same("E70", "GLM at OpenCode Go", "Chat Completions at …/v1", () =>
    expect(place("opencode-go/glm-5")).toMatchObject({
      protocol: "chat-completions",
      url: "https://opencode.ai/zen/go/v1",
    }),
  ),
  same("E72", "GLM, with …/zen/go in the configuration", "…/zen/go/v1", () =>
    expect(place("opencode-go/glm-5.1", own("baseUrl: https://opencode.ai/zen/go", "opencode-go")).url).toBe(
      "https://opencode.ai/zen/go/v1",
    ),
  ),
  same("E73", "a named provider that speaks Messages", "Messages", () =>
    expect(protocols("mine/m", own("protocol: messages, baseUrl: https://a.example/v1"))).toEqual(["messages"]),
  ),
  same("E76", "lmstudio, lm-studio, lm_studio", "LM Studio", () =>
    expect(["lmstudio", "lm-studio", "lm_studio"].map((name) => findProvider(builtInProviders, name)?.id)).toEqual(
      Array(3).fill("lmstudio"),
    ),
  ),
  same("E78", "one's own provider without a key", "none is needed", () =>
    expect(place("mine/m", at("https://a.example/v1")).keys).toEqual(["none"]),
  ),
  better("E80", "auto, and Codex has no login", "OpenRouter", () => noneChosen({ OPENROUTER_API_KEY: key })),
  same("E82", "OpenRouter is asked for, and another has no login", "OpenRouter", () =>
    expect(place("openrouter/m", "", { OPENROUTER_API_KEY: key }).provider).toBe("openrouter"),
  ),
  ...notApplicable(
    noModel,
    ["E84", "a provider whose model is empty", "no model"],
    ["E85", "a provider with a model", "that model"],
    ["E89", "a provider without one", "no model"],
  ),
  ...notApplicable(
    body,
    ["E86", "extra_body of a provider", "in each request"],
    ["E88", "the same with a pool", "in each request"],
    ["E116", "extra_body in the file", "kept"],
  ),
  same("E90", "another server with ollama.com in its path", "Ollama's key is not sent", () =>
    expect(place("mine/m", at("http://127.0.0.1:9000/ollama.com/v1"), { OLLAMA_API_KEY: key }).keys).toEqual(["none"]),
  ),
  same("E92", "ollama.com itself", "the key is sent", () =>
    expect(place("ollama-cloud/m", "", { OLLAMA_API_KEY: key })).toMatchObject({
      url: "https://ollama.com/v1",
      keys: ["OLLAMA_API_KEY"],
    }),
  ),
  same("E93", "api.ollama.com", "the key is sent", () =>
    expect(
      place("ollama-cloud/m", own("baseUrl: https://api.ollama.com/v1", "ollama-cloud"), { OLLAMA_API_KEY: key }),
    ).toMatchObject({ url: "https://api.ollama.com/v1", keys: ["OLLAMA_API_KEY"] }),
  ),
  same("E94", "Azure with a key", "Chat Completions, its URL kept", () =>
    expect(
      place("azure-foundry/gpt-4o", own(`baseUrl: ${azure}`, "azure-foundry"), { AZURE_FOUNDRY_API_KEY: key }),
    ).toMatchObject({ protocol: "chat-completions", url: azure, keys: ["AZURE_FOUNDRY_API_KEY"] }),
  ),
  same("E96", "Azure without a URL", "an error that names it", () =>
    expect(place("azure-foundry/gpt-4o").url).toMatch(/has no usable base URL: set providers\.azure-foundry\.baseUrl/),
  ),
  same(
    "E97",
    "Azure without a key",
    "an error that names it",
    shownBy(
      "cli/ask.test.ts",
      "ends with 3 when only a person can help, naming each candidate, its cause and a command",
    ),
  ),
  same("E98", "Azure, gpt-5.3-codex", "Responses", () =>
    expect(protocols("azure-foundry/gpt-5.3-codex", own(`baseUrl: ${azure}`, "azure-foundry"))).toEqual(["responses"]),
  ),
  same("E100", "Azure's Messages, a Codex model", "Messages", () =>
    expect(
      protocols(
        "azure-foundry/gpt-5.3-codex",
        own("baseUrl: https://me.services.ai.azure.com/anthropic", "azure-foundry"),
      ),
    ).toEqual(["messages"]),
  ),
  same("E101", "Azure, another model than the default", "its own protocol", () => {
    const config = own(`baseUrl: ${azure}`, "azure-foundry");
    expect(["gpt-4o-pure", "gpt-5.3-codex"].map((model) => place(`azure-foundry/${model}`, config).protocol)).toEqual([
      "chat-completions",
      "responses",
    ]);
  }),
  same("E102", "Azure, Responses by configuration, gpt-4o-pure", "Responses", () =>
    expect(
      protocols("azure-foundry/gpt-4o-pure", own(`protocol: responses, baseUrl: ${azure}`, "azure-foundry")),
    ).toEqual(["responses"]),
  ),
  ...(["E104", "E106"] as const).map((id) =>
    same(id, "Claude at Azure, its variable named; Anthropic's are set as well", "the named one", () => {
      const settings = "baseUrl: https://me.services.ai.azure.com/anthropic, apiKeyEnv: MY_AZURE_KEY";
      const env = { MY_AZURE_KEY: key, AZURE_ANTHROPIC_KEY: other, ANTHROPIC_API_KEY: other };
      expect(place("anthropic/c", own(settings, "anthropic"), env).keys).toEqual(["MY_AZURE_KEY"]);
    }),
  ),
  ...(["E105", "E112–114"] as const).map((id) =>
    better(id, "api_key_env and apiKeyEnv for key_env", "all of them", () =>
      expect(problems(at("https://a.example", ", api_key_env: MY_KEY"))).toMatch(/did you mean "apiKeyEnv"\?/),
    ),
  ),
  ...(["E108", "E109"] as const).map((id) =>
    better(
      id,
      id === "E108" ? "AZURE_ANTHROPIC_KEY" : "the named variable is not set, AZURE_ANTHROPIC_KEY is",
      "that one is used",
      () => {
        const settings = "baseUrl: https://me.services.ai.azure.com/anthropic, apiKeyEnv: ";
        const env = { AZURE_ANTHROPIC_KEY: key };
        const found = (names: string): readonly string[] =>
          place("anthropic/c", own(settings + names, "anthropic"), env).keys;
        expect([found("GONE"), found("[GONE, AZURE_ANTHROPIC_KEY]")]).toEqual([[], ["AZURE_ANTHROPIC_KEY"]]);
      },
    ),
  ),
  same("E110", "Claude at Azure without any key", "an error that names the variable", () => {
    const anthropic = findProvider(resolved(own("apiKeyEnv: MY_AZURE_KEY", "anthropic")).providers, "anthropic");
    const blocked = { target: { provider: "anthropic", model: "c" }, why: "no_credential" } as const;
    expect(describeBlocked(blocked, anthropic, 0)).toEqual({
      cause: "no credential, and MY_AZURE_KEY is not set",
      command: "understudy auth add anthropic",
    });
  }),
  same("E117", "a key for Tencent's TokenHub", "Chat Completions at its address", () =>
    expect(place("tencent-tokenhub/m", "", { TOKENHUB_API_KEY: key })).toMatchObject({
      protocol: "chat-completions",
      url: "https://tokenhub.tencentmaas.com/v1",
      keys: ["TOKENHUB_API_KEY"],
    }),
  ),
  same("E118", "its URL in a variable", "that URL", () =>
    expect(place("tencent-tokenhub/m", "", { TOKENHUB_BASE_URL: "https://t.example/v1" }).url).toBe(
      "https://t.example/v1",
    ),
  ),
  same("E120", "a URL for another provider", "TokenHub's default", () =>
    expect(place("tencent-tokenhub/m", own("baseUrl: https://a.example/v1", "openrouter")).url).toBe(
      "https://tokenhub.tencentmaas.com/v1",
    ),
  ),
  better("E121", "TokenHub with a key and a URL of the caller's", "they are used", noKeyOfTheCaller),
  better("E125–128", "ollama, vllm, llamacpp, llama-cpp on another machine; a key for OpenRouter", "that URL", () => {
    for (const name of ["ollama", "vllm", "llamacpp", "llama-cpp"]) {
      const id = findProvider(builtInProviders, name)?.id ?? "";
      const lan = "baseUrl: http://192.168.1.5:9000/v1";
      expect(problems(own(lan, id))).toMatch(/allowInsecure/);
      const { url, keys } = place(`${name}/m`, own(`${lan}, allowInsecure: true`, id), { OPENROUTER_API_KEY: key });
      expect([name, url, keys]).toEqual([name, "http://192.168.1.5:9000/v1", ["none"]]);
    }
  }),
  same("E129", "Ollama on this machine", "it", () =>
    expect(place("ollama/m")).toMatchObject({ url: "http://127.0.0.1:11434/v1", keys: ["none"] }),
  ),
  better("E130", "which names may be on another machine over plain http", "the local servers, OpenRouter not", () => {
    for (const name of ["ollama", "vllm", "llamacpp", "openrouter"])
      expect(problems(own("baseUrl: http://192.168.1.5:9000/v1", name))).toMatch(/allowInsecure/);
  }),
  same("E132", "OpenAI's address", "OpenAI's key", () =>
    expect(place("openai/m", "", { OPENAI_API_KEY: key, OPENROUTER_API_KEY: other }).keys).toEqual(["OPENAI_API_KEY"]),
  ),
  same("E133", "OpenRouter's address", "OpenRouter's key", () =>
    expect(place("openrouter/m", "", { OPENAI_API_KEY: key, OPENROUTER_API_KEY: other }).keys).toEqual([
      "OPENROUTER_API_KEY",
    ]),
  ),
  same("E134", "api.deepseek.com", "DeepSeek's key", () =>
    expect(place("deepseek/m", "", { DEEPSEEK_API_KEY: key })).toMatchObject({
      url: expect.stringContaining("https://api.deepseek.com") as string,
      keys: ["DEEPSEEK_API_KEY"],
    }),
  ),
  ...(
    [
      ["E136", "api.deepseek.com.attacker.test", "https://api.deepseek.com.attacker.test/v1"],
      ["E137", "this machine", "http://127.0.0.1:9000/v1"],
      ["E138", "example.com", "https://example.com/v1"],
    ] as const
  ).map(([id, given, url]) =>
    same(id, given, "DeepSeek's key is not sent", () =>
      expect(place("mine/m", at(url), { DEEPSEEK_API_KEY: key }).keys).toEqual(["none"]),
    ),
  ),
  ...notApplicable(
    "Bedrock is left out, since its requests are signed with AWS credentials",
    ["E140", "Claude at Bedrock", "Messages"],
    ["E141", "Nova at Bedrock", "its own protocol"],
  ),
  ...(
    [
      ["E142", "a server on this machine; Anthropic's key in the environment", "http://localhost:9000/v1"],
      ["E144", "api.anthropic.com.attacker.test", "https://api.anthropic.com.attacker.test/v1"],
    ] as const
  ).map(([id, given, url]) =>
    same(id, given, "not Anthropic; its URL is kept", () =>
      expect(place("mine/m", at(url), { ANTHROPIC_API_KEY: key })).toMatchObject({
        provider: "mine",
        url,
        protocol: "chat-completions",
        keys: ["none"],
      }),
    ),
  ),
  ...(["E145", "E148"] as const).map((id) =>
    same(id, "headers of one's own provider", "in each request", () =>
      expect(place("mine/m", at("https://a.example/v1", ", headers: { X-Team: blue }")).headers).toEqual({
        "x-team": "blue",
      }),
    ),
  ),
  same("E146", "no headers", "none", () => expect(place("mine/m", at("https://a.example/v1")).headers).toEqual({})),
  same("E149", "headers and a key", "both", () =>
    expect(
      place("mine/m", at("https://a.example/v1", ", apiKeyEnv: MY_KEY, headers: { X-Team: blue }"), { MY_KEY: key }),
    ).toMatchObject({ headers: { "x-team": "blue" }, keys: ["MY_KEY"] }),
  ),
  better("E150", "auto, nothing but a pool of OpenRouter", "OpenRouter", () => noneChosen({ OPENROUTER_API_KEY: key })),
  same("E151", "nothing at all", "an error", () => noneChosen({})),
  ...notApplicable(
    profiles,
    ["E152", "an empty profile, a root with a key", "the root's"],
    ["E153", "both have one", "the profile's"],
    ["E154", "the root has one more provider", "that of the root"],
    ["E156", "the root's file is broken", "the profile works"],
    ["E157", "all pools", "merged by provider"],
    ["E158–160", "the login of a provider", "the profile's, else the root's"],
    ["E161–165", "the same, and a broken root", "the same"],
    ["E166", "no profiles", "one place is read"],
  ),
];
