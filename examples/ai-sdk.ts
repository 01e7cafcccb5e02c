import { isStepCount, streamText, tool } from "ai";
import { createUnderstudy } from "understudy";
import { createLanguageModel, readAnswerMetadata } from "understudy/ai-sdk";
import { z } from "zod";

const understudy = await createUnderstudy({
  onEvent(event) {
    if (event.type !== "switched") return;
    const { from, to, failure } = event;
    console.error(`${from.provider} · ${from.credential.label} failed (${failure.reason}): now ${to.provider}`);
  },
});

const result = streamText({
  model: createLanguageModel(understudy, "coding"),
  prompt: process.argv[2] ?? "What is the weather in Paris?",
  tools: {
    weather: tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => ({ city, celsius: 19 }),
    }),
  },
  stopWhen: isStepCount(20),
  onError({ error }) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
});
for await (const text of result.textStream) process.stdout.write(text);

if (process.exitCode === undefined) {
  for (const { stepNumber, providerMetadata } of await result.steps) {
    const servedBy = readAnswerMetadata(providerMetadata)?.servedBy;
    console.error(`step ${stepNumber + 1}: ${servedBy?.provider}/${servedBy?.model}`);
  }
}
await understudy.close();
