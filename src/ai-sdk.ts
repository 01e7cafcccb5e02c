export { createLanguageModel, type LanguageModelOptions, type ModelSource } from "./ai-sdk/language-model.ts";
export { readAnswerMetadata, type UnderstudyAnswerMetadata } from "./ai-sdk/about-answer.ts";
export type { UnderstudyErrorData } from "./ai-sdk/call-error.ts";
export type { UnderstudyCallOptions } from "./ai-sdk/call-options.ts";
export { createUnderstudyProvider } from "./ai-sdk/model-provider.ts";
