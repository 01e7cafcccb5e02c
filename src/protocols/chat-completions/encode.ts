import type { JsonObject, Part } from "../canonical.ts";
import type { StreamEncoder } from "../protocol.ts";
import { formatJsonEvent, formatSse } from "../sse.ts";
import { fitToolId } from "../tool-id.ts";
import { writeFinishReason } from "./finish-reason.ts";
import { foldChunks } from "./fold.ts";
import { doneMark } from "./stream.ts";
import { toolIdRule } from "./tool-call.ts";
import { writeUsage } from "./usage.ts";

/**
 * Parts → a Chat Completions stream as the official SDK reads it; see `ChunkWriter`. `envelope`: it goes on in a stream whose chunks
 * have these members.
 */
export function createStreamEncoder(
  options: { model: string; id: string },
  envelope: JsonObject | null = null,
): StreamEncoder {
  const writer = new ChunkWriter(options, envelope);
  return {
    encode(part) {
      const more = part.type === "text-delta" ? writer.moreText(part.text) : null;
      if (more !== null) return more;
      let text = "";
      for (const chunk of writer.write(part)) text += formatJsonEvent(chunk);
      return part.type === "finish" && text !== "" ? text + formatSse(doneMark) : text;
    },
  };
}

/** Parts → a whole completion: what the stream of the same parts tells. */
export function encodeAnswer(parts: readonly Part[], options: { model: string; id: string }): JsonObject {
  const writer = new ChunkWriter(options);
  return foldChunks(parts.flatMap((part) => writer.write(part)));
}

/** A call that was told of. `grown`: arguments went out. */
interface OpenCall {
  readonly index: number;
  grown: boolean;
}

/**
 * Parts → chunks: the role first, deltas, the finish reason, a chunk with the usage and no choices (as OpenAI sends it
 * with `stream_options.include_usage`), if the usage is known. Reasoning goes as `reasoning_content`, which the field
 * reads though OpenAI does not send it; what only its issuer can read has no place here.
 *
 * `created` is 0: no clock reaches this layer, and no client acts on it.
 */
class ChunkWriter {
  readonly #id: string;
  #model: string;
  #state: "new" | "open" | "finished" = "new";
  readonly #calls = new Map<string, OpenCall>();
  readonly #begun: JsonObject | null;
  /** What stands in each chunk before its choice. */
  #head: string | null = null;

  constructor(options: { model: string; id: string }, begun: JsonObject | null = null) {
    this.#id = options.id;
    this.#model = options.model;
    this.#begun = begun;
    if (begun !== null) this.#state = "open";
  }

  write(part: Part): JsonObject[] {
    if (this.#state === "finished") return [];
    if (this.#state === "open") return this.#writePart(part);
    this.#state = "open";
    if (part.type === "response-start") this.#model ||= part.model ?? "";
    return [this.#chunk({ role: "assistant", content: "" }), ...this.#writePart(part)];
  }

  /**
   * What `write` gives as SSE text, for one more piece of text: they come by the hundred, and nothing but the words differs. Null at the
   * beginning and past the end.
   */
  moreText(text: string): string | null {
    if (this.#state !== "open") return null;
    if (text === "") return "";
    this.#head ??= `data: ${JSON.stringify({ ...this.#envelope(), choices: [] }).slice(0, -2)}`;
    return `${this.#head}{"index":0,"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}]}\n\n`;
  }

  #writePart(part: Part): JsonObject[] {
    switch (part.type) {
      case "text-delta":
        return part.text === "" ? [] : [this.#chunk({ content: part.text })];
      case "reasoning-delta":
        return part.text === "" ? [] : [this.#chunk({ reasoning_content: part.text })];
      case "tool-input-start":
        return this.#tell(part.id, part.name);
      case "tool-input-delta":
        // Without its start the call has no name yet; the whole call that follows has it.
        return part.delta === "" ? [] : this.#growCall(this.#calls.get(part.id), part.delta);
      case "tool-call": {
        const told = this.#tell(part.id, part.name);
        const call = this.#calls.get(part.id);
        if (call?.grown === true) return told;
        return [...told, ...this.#growCall(call, part.input.trim() === "" ? "{}" : part.input)];
      }
      case "finish": {
        this.#state = "finished";
        const last = this.#chunk({}, writeFinishReason(part.reason));
        if (part.usage === null) return [last];
        return [last, { ...this.#envelope(), choices: [], usage: writeUsage(part.usage) }];
      }
      case "response-start":
      case "text-start":
      case "text-end":
      case "reasoning-start":
      case "reasoning-end":
        return [];
    }
  }

  #tell(id: string, name: string): JsonObject[] {
    if (this.#calls.has(id)) return [];
    const index = this.#calls.size;
    this.#calls.set(id, { index, grown: false });
    const call = { index, id: fitToolId(id, toolIdRule), type: "function", function: { name, arguments: "" } };
    return [this.#chunk({ tool_calls: [call] })];
  }

  #growCall(call: OpenCall | undefined, args: string): JsonObject[] {
    if (call === undefined) return [];
    call.grown = true;
    return [this.#chunk({ tool_calls: [{ index: call.index, function: { arguments: args } }] })];
  }

  #chunk(delta: JsonObject, finishReason: string | null = null): JsonObject {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
    return { ...this.#envelope(), choices: [choice] };
  }

  #envelope(): JsonObject {
    return this.#begun ?? { id: this.#id, object: "chat.completion.chunk", created: 0, model: this.#model };
  }
}
