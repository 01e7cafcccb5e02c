import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Usage } from "../core/events.ts";

/** Tokens as the AI SDK counts them. How much was written into the cache is not known. */
export function toUsage(usage: Usage | null): LanguageModelV4Usage {
  if (usage === null) {
    return {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    };
  }
  const { input, cachedInput, output, reasoning } = usage;
  return {
    inputTokens: {
      total: input,
      noCache: Math.max(0, input - cachedInput),
      cacheRead: cachedInput,
      cacheWrite: undefined,
    },
    outputTokens: { total: output, text: Math.max(0, output - reasoning), reasoning },
  };
}
