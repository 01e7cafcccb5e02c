import { actual } from "./actual.ts";
import { aiGateway } from "./ai-gateway.ts";
import { alibaba } from "./alibaba.ts";
import { alibabaCodingPlan } from "./alibaba-coding-plan.ts";
import { anthropic } from "./anthropic.ts";
import { arcee } from "./arcee.ts";
import { azureFoundry } from "./azure-foundry.ts";
import { codex } from "./codex.ts";
import { deepseek } from "./deepseek.ts";
import { gemini } from "./gemini.ts";
import { gmi } from "./gmi.ts";
import { huggingface } from "./huggingface.ts";
import { kilocode } from "./kilocode.ts";
import { kimi } from "./kimi.ts";
import { kimiCn } from "./kimi-cn.ts";
import { llamacpp } from "./llamacpp.ts";
import { lmstudio } from "./lmstudio.ts";
import { minimax } from "./minimax.ts";
import { minimaxCn } from "./minimax-cn.ts";
import { novita } from "./novita.ts";
import { nvidia } from "./nvidia.ts";
import { ollama } from "./ollama.ts";
import { ollamaCloud } from "./ollama-cloud.ts";
import { openai } from "./openai.ts";
import { opencodeFree } from "./opencode-free.ts";
import { opencodeGo } from "./opencode-go.ts";
import { opencodeZen } from "./opencode-zen.ts";
import { openrouter } from "./openrouter.ts";
import { stepfun } from "./stepfun.ts";
import { tencentTokenhub } from "./tencent-tokenhub.ts";
import { tencentTokenplan } from "./tencent-tokenplan.ts";
import { vllm } from "./vllm.ts";
import { xai } from "./xai.ts";
import { xiaomi } from "./xiaomi.ts";
import { zai } from "./zai.ts";
import type { Provider } from "./provider.ts";

/**
 * Every provider this package knows, in the order in which a person sees them: subscriptions, makers, aggregators, this
 * machine. No id or alias is there twice.
 */
export const builtInProviders: readonly Provider[] = [
  codex,
  openai,
  anthropic,
  openrouter,
  gemini,
  xai,
  deepseek,
  zai,
  kimi,
  kimiCn,
  minimax,
  minimaxCn,
  alibaba,
  alibabaCodingPlan,
  stepfun,
  arcee,
  nvidia,
  huggingface,
  aiGateway,
  opencodeZen,
  opencodeGo,
  opencodeFree,
  kilocode,
  xiaomi,
  ollamaCloud,
  gmi,
  tencentTokenhub,
  tencentTokenplan,
  azureFoundry,
  novita,
  actual,
  ollama,
  lmstudio,
  vllm,
  llamacpp,
];

/** The provider of this id or alias, or null. Case does not matter. */
export function findProvider(providers: readonly Provider[], idOrAlias: string): Provider | null {
  let names = named.get(providers);
  if (names === undefined) named.set(providers, (names = nameAll(providers)));
  return names.get(idOrAlias) ?? names.get(idOrAlias.toLowerCase()) ?? null;
}

/** Every turn asks for a provider several times, of a list that changes when the configuration does. */
const named = new WeakMap<readonly Provider[], Map<string, Provider>>();

/** Ids before aliases; of two providers with one name the first. */
function nameAll(providers: readonly Provider[]): Map<string, Provider> {
  const names = new Map<string, Provider>();
  const add = (name: string, provider: Provider): void => {
    const lower = name.toLowerCase();
    if (!names.has(lower)) names.set(lower, provider);
  };
  for (const provider of providers) add(provider.id, provider);
  for (const provider of providers) for (const alias of provider.aliases) add(alias, provider);
  return names;
}
