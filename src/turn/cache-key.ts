import type { CanonicalRequest, Message } from "../protocols/canonical.ts";

/** Characters of each part that count: a conversation that agrees in all of them has its beginning in common. */
const beginning = 4_096;

/**
 * What a provider may file the beginning of this conversation under, so that its next turn finds it in the cache: a hash of the
 * instructions, the names of the tools and the person's first words. The same in every turn of a conversation and in every process,
 * and nothing can be read from it.
 * Source: https://platform.openai.com/docs/guides/prompt-caching
 */
export function cacheKeyOf({ messages, tools = [] }: CanonicalRequest): string {
  const instructions = messages.filter(({ role }) => role === "system").map(wordsOf);
  const first = messages.find(({ role }) => role === "user");
  const parts = [...instructions, tools.map(({ name }) => name).join(" "), first === undefined ? "" : wordsOf(first)];
  const text = parts.map((part) => `${part.length} ${part.slice(0, beginning)}`).join("\n");
  return `us_${hash(text, 0x811c9dc5)}${hash(text, 0x9747b28c)}`;
}

function wordsOf({ content }: Message): string {
  return content.map((item) => (item.type === "text" ? item.text : item.type)).join("\n");
}

/** FNV-1a over UTF-16 code units, as eight hex digits. Two texts that meet by chance share a shelf, not an answer. */
function hash(text: string, seed: number): string {
  let state = seed;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return (state >>> 0).toString(16).padStart(8, "0");
}
