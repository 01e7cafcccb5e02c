import type { ProviderV4 } from "@ai-sdk/provider";
import { UnderstudyError } from "../core/error.ts";
import { createLanguageModel, type LanguageModelOptions, type ModelSource } from "./language-model.ts";

/**
 * A provider of the AI SDK whose models are the routes, for `createProviderRegistry` and for all that asks a provider by a
 * model's name.
 *
 * @example
 * const understudy = createUnderstudyProvider(await createUnderstudy());
 * const { text } = await generateText({ model: understudy.languageModel("coding"), prompt: "Why is the sky blue?" });
 */
export function createUnderstudyProvider(source: ModelSource, options: LanguageModelOptions = {}): ProviderV4 {
  return {
    specificationVersion: "v4",
    languageModel: (route) => createLanguageModel(source, route, options),
    embeddingModel: () => languageModelsOnly("embedding"),
    imageModel: () => languageModelsOnly("image"),
  };
}

function languageModelsOnly(kind: string): never {
  throw new UnderstudyError("usage", `this provider has language models only, no ${kind} models`);
}
