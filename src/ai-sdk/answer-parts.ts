import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Candidate } from "../core/events.ts";
import type { Part } from "../protocols/canonical.ts";
import { writeStamp } from "./stamp.ts";

/** A part of the answer but for its end, which is known only when the stream has ended. */
export type AnswerPart = Exclude<Part, { type: "finish" }>;

export interface AnswerPartWriter {
  write(part: AnswerPart): LanguageModelV4StreamPart[];
  /** Closes text and reasoning of an answer that broke off. A call that is not whole stays open: nobody is to run it. */
  close(): LanguageModelV4StreamPart[];
}

/** Parts → the AI SDK's stream parts, each block stamped with its issuer. `at` is Unix ms. */
export function createAnswerPartWriter(candidate: Candidate, at: number): AnswerPartWriter {
  const open = new Map<string, "text-end" | "reasoning-end">();

  return {
    write(part) {
      switch (part.type) {
        case "response-start":
          return [
            {
              type: "response-metadata",
              ...(part.id === null ? {} : { id: part.id }),
              modelId: part.model ?? candidate.model,
              timestamp: new Date(at),
            },
          ];
        case "text-start":
          open.set(part.id, "text-end");
          return [{ type: "text-start", id: part.id }];
        case "text-delta":
          return [{ type: "text-delta", id: part.id, delta: part.text }];
        case "text-end":
          open.delete(part.id);
          return [{ type: "text-end", id: part.id, providerMetadata: writeStamp(candidate) }];
        case "reasoning-start":
          open.set(part.id, "reasoning-end");
          return [{ type: "reasoning-start", id: part.id }];
        case "reasoning-delta":
          return [{ type: "reasoning-delta", id: part.id, delta: part.text }];
        case "reasoning-end":
          open.delete(part.id);
          return [{ type: "reasoning-end", id: part.id, providerMetadata: writeStamp(candidate, part.opaque) }];
        case "tool-input-start":
          return [{ type: "tool-input-start", id: part.id, toolName: part.name }];
        case "tool-input-delta":
          return [{ type: "tool-input-delta", id: part.id, delta: part.delta }];
        case "tool-call":
          return [
            { type: "tool-input-end", id: part.id },
            {
              type: "tool-call",
              toolCallId: part.id,
              toolName: part.name,
              input: part.input,
              providerMetadata: writeStamp(candidate),
            },
          ];
      }
    },
    close: () => [...open].map(([id, type]) => ({ type, id })),
  };
}
