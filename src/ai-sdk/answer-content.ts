import type { LanguageModelV4Content, LanguageModelV4GenerateResult } from "@ai-sdk/provider";
import type { Usage } from "../core/events.ts";
import type { FinishReason, Part } from "../protocols/canonical.ts";
import { aboutAnswer, type CommittedTurn } from "./about-answer.ts";
import { writeStamp } from "./stamp.ts";
import { toUsage } from "./usage.ts";

/** Everything of a whole answer but what the call itself adds. */
export type WholeAnswer = Pick<
  LanguageModelV4GenerateResult,
  "content" | "finishReason" | "usage" | "providerMetadata" | "response"
>;

/** Reads the answer to its end. `at` is Unix ms. */
export async function collectAnswer(turn: CommittedTurn, at: number): Promise<WholeAnswer> {
  const { answer, candidate } = turn;
  const content: LanguageModelV4Content[] = [];
  const open = new Map<string, { type: "text" | "reasoning"; text: string }>();
  let start: Extract<Part, { type: "response-start" }> | null = null;
  let finish: { reason: FinishReason; usage: Usage | null } | null = null;

  for await (const part of answer.parts()) {
    switch (part.type) {
      case "response-start":
        start = part;
        break;
      case "text-start":
        begin(part.id, "text");
        break;
      case "reasoning-start":
        begin(part.id, "reasoning");
        break;
      case "text-delta":
      case "reasoning-delta": {
        const block = open.get(part.id);
        if (block !== undefined) block.text += part.text;
        break;
      }
      case "reasoning-end":
        Object.assign(open.get(part.id) ?? {}, { providerMetadata: writeStamp(candidate, part.opaque) });
        break;
      case "tool-call":
        content.push({
          type: "tool-call",
          toolCallId: part.id,
          toolName: part.name,
          input: part.input,
          providerMetadata: writeStamp(candidate),
        });
        break;
      case "finish":
        finish = part;
        break;
      // Of a whole answer only the whole call counts.
      case "text-end":
      case "tool-input-start":
      case "tool-input-delta":
        break;
    }
  }
  await turn.done;
  const end = answer.end();
  return {
    content,
    finishReason: { unified: finish?.reason ?? "other", raw: undefined },
    usage: toUsage(finish?.usage ?? (end?.kind === "complete" ? end.usage : null)),
    providerMetadata: aboutAnswer(turn),
    response: {
      ...(start?.id == null ? {} : { id: start.id }),
      modelId: start?.model ?? candidate.model,
      timestamp: new Date(at),
    },
  };

  function begin(id: string, type: "text" | "reasoning"): void {
    const block = { type, text: "", providerMetadata: writeStamp(candidate) };
    open.set(id, block);
    content.push(block);
  }
}
