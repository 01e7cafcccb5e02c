import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { createUnderstudy } from "understudy";

const understudy = await createUnderstudy();

// The key and the host are not used, and what they call the model is the route.
const anthropic = createAnthropic({ apiKey: "unused", fetch: understudy.fetch });
const openai = createOpenAI({ apiKey: "unused", fetch: understudy.fetch });

const prompt = process.argv[2] ?? "Why is the sky blue?";
// "coding" is no model that its provider knows: unless told, it asks for 4096 tokens at most.
const first = await generateText({ model: anthropic("coding"), prompt, maxOutputTokens: 32_000 });
console.log(first.text, first.response.headers?.["x-understudy-served-by"]);

// Without it, from the second step on, the conversation names items that only the account that answered has stored.
const providerOptions = { openai: { store: false } };
const second = await generateText({ model: openai("coding"), prompt, providerOptions });
console.log(second.text, second.response.headers?.["x-understudy-served-by"]);

await understudy.close();
