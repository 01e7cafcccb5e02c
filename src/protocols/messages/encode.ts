import type { JsonObject, Opaque, Part } from "../canonical.ts";
import type { StreamEncoder } from "../protocol.ts";
import { stringAt } from "../read-json.ts";
import { formatJsonEvent } from "../sse.ts";
import { fitToolId } from "../tool-id.ts";
import { writeStopReason } from "./finish-reason.ts";
import { foldEvents } from "./fold.ts";
import { ownSignature } from "./own-signature.ts";
import { toolIdRule } from "./tool-use.ts";
import { writeUsage } from "./usage.ts";

/** Where a stream stands that is gone on in: the index of its last block, and the id of the parts that grow that block if it is open. */
export interface BegunStream {
  readonly index: number;
  readonly openText: string | null;
}

/** Parts → a Messages stream as the official SDK reads it; see `EventWriter`. `begun`: it goes on in a stream that stands so. */
export function createStreamEncoder(
  options: { model: string; id: string },
  begun: BegunStream | null = null,
): StreamEncoder {
  const writer = new EventWriter(options, begun);
  return {
    encode(part) {
      const more = part.type === "text-delta" ? writer.moreText(part.id, part.text) : null;
      if (more !== null) return more;
      let text = "";
      for (const event of writer.write(part)) text += formatJsonEvent(event, stringAt(event, "type"));
      return text;
    },
  };
}

/** Parts → a whole message: what the stream of the same parts tells. */
export function encodeAnswer(parts: readonly Part[], options: { model: string; id: string }): JsonObject {
  const writer = new EventWriter(options);
  return foldEvents(parts.flatMap((part) => writer.write(part)));
}

/** The block that is being written. `begun`: its opening event is out. `grown`: it has content. */
interface OpenBlock {
  readonly key: string;
  begun: boolean;
  grown: boolean;
}

type BlockPart = Exclude<Part, { type: "response-start" | "finish" }>;

/**
 * Parts → the events of a Messages stream: one `message_start`, blocks one after another with growing index, one
 * `message_delta` with stop reason and usage, `message_stop`.
 *
 * The parts of several blocks may come mixed; those of a later block wait until the earlier one is closed. A block that
 * stays empty is not written: a client would send it back, and Anthropic refuses empty blocks. Reasoning of another provider is
 * marked; see `own-signature.ts`.
 */
class EventWriter {
  readonly #id: string;
  readonly #model: string;
  #state: "new" | "open" | "finished" = "new";
  #index = -1;
  #block: OpenBlock | null = null;
  #waiting: BlockPart[] = [];

  constructor(options: { model: string; id: string }, begun: BegunStream | null = null) {
    this.#id = options.id;
    this.#model = options.model;
    if (begun === null) return;
    this.#state = "open";
    this.#index = begun.index;
    if (begun.openText !== null) this.#block = { key: `text ${begun.openText}`, begun: true, grown: true };
  }

  write(part: Part): JsonObject[] {
    if (this.#state === "finished") return [];
    const start = this.#state === "new" ? [this.#messageStart(part)] : [];
    this.#state = "open";
    switch (part.type) {
      case "response-start":
        return start;
      case "finish": {
        const rest = this.#writeRest();
        this.#state = "finished";
        return [...start, ...rest, ...messageEnd(part)];
      }
      default:
        return [...start, ...this.#writeBlockPart(part)];
    }
  }

  /**
   * What `write` gives as SSE text, for one more piece of the block of text that is open: they come by the hundred, and nothing but the words
   * differs. Null for any other part.
   */
  moreText(id: string, text: string): string | null {
    const block = this.#block;
    if (text === "" || this.#state !== "open" || block?.grown !== true || block.key !== `text ${id}`) return null;
    return `${moreTextHead}${this.#index},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
  }

  #messageStart(first: Part): JsonObject {
    const model = this.#model || (first.type === "response-start" ? (first.model ?? "") : "");
    return {
      type: "message_start",
      message: {
        id: this.#id,
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: writeUsage(null),
      },
    };
  }

  #writeBlockPart(part: BlockPart): JsonObject[] {
    const key = blockKey(part);
    if (this.#block !== null && this.#block.key !== key) {
      this.#waiting.push(part);
      return [];
    }
    const block = (this.#block ??= { key, begun: false, grown: false });
    const events = this.#writeInto(block, part);
    return isLast(part) ? [...events, ...this.#close(block)] : events;
  }

  /** Closes the block and writes what waited for that. */
  #close(block: OpenBlock): JsonObject[] {
    this.#block = null;
    const stop = block.begun ? [{ type: "content_block_stop", index: this.#index }] : [];
    const waiting = this.#waiting;
    this.#waiting = [];
    return [...stop, ...waiting.flatMap((part) => this.#writeBlockPart(part))];
  }

  #writeRest(): JsonObject[] {
    const events: JsonObject[] = [];
    while (this.#block !== null) events.push(...this.#close(this.#block));
    return events;
  }

  #writeInto(block: OpenBlock, part: BlockPart): JsonObject[] {
    switch (part.type) {
      case "text-start":
      case "text-end":
      case "reasoning-start":
        return [];
      case "text-delta":
        return part.text === "" ? [] : this.#grow(block, emptyText, { type: "text_delta", text: part.text });
      case "reasoning-delta":
        return part.text === ""
          ? []
          : this.#grow(block, emptyThinking, { type: "thinking_delta", thinking: part.text });
      case "reasoning-end":
        if (part.opaque?.protocol === "messages") return this.#writeOpaque(block, part.opaque);
        return block.grown ? this.#sign(block, ownSignature) : [];
      case "tool-input-start":
        return this.#begin(block, toolUse(part));
      case "tool-input-delta":
        // Without its start the call has no name yet; the whole call that follows has it.
        return block.begun && part.delta !== "" ? this.#growInput(block, part.delta) : [];
      case "tool-call": {
        const begin = this.#begin(block, toolUse(part));
        return block.grown
          ? begin
          : [...begin, ...this.#growInput(block, part.input.trim() === "" ? "{}" : part.input)];
      }
    }
  }

  #writeOpaque(block: OpenBlock, { data }: Opaque): JsonObject[] {
    if (data["type"] === "redacted_thinking") return block.begun ? [] : this.#begin(block, data);
    const signature = stringAt(data, "signature") ?? "";
    if (signature === "") return [];
    const thinking = block.grown ? "" : (stringAt(data, "thinking") ?? "");
    return [
      ...(thinking === "" ? [] : this.#grow(block, emptyThinking, { type: "thinking_delta", thinking })),
      ...this.#sign(block, signature),
    ];
  }

  #sign(block: OpenBlock, signature: string): JsonObject[] {
    return this.#grow(block, emptyThinking, { type: "signature_delta", signature });
  }

  #growInput(block: OpenBlock, json: string): JsonObject[] {
    return this.#grow(block, {}, { type: "input_json_delta", partial_json: json });
  }

  #grow(block: OpenBlock, opening: JsonObject, delta: JsonObject): JsonObject[] {
    block.grown = true;
    const begin = this.#begin(block, opening);
    return [...begin, { type: "content_block_delta", index: this.#index, delta }];
  }

  #begin(block: OpenBlock, opening: JsonObject): JsonObject[] {
    if (block.begun) return [];
    block.begun = true;
    this.#index++;
    return [{ type: "content_block_start", index: this.#index, content_block: opening }];
  }
}

const moreTextHead = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":';

const emptyText: JsonObject = { type: "text", text: "" };
const emptyThinking: JsonObject = { type: "thinking", thinking: "", signature: "" };

function toolUse(call: { readonly id: string; readonly name: string }): JsonObject {
  return { type: "tool_use", id: fitToolId(call.id, toolIdRule), name: call.name, input: {} };
}

/** Ids are unique within a kind of block only. */
function blockKey(part: BlockPart): string {
  const kind = part.type.startsWith("text") ? "text" : part.type.startsWith("reasoning") ? "reasoning" : "tool";
  return `${kind} ${part.id}`;
}

function isLast(part: BlockPart): boolean {
  return part.type === "text-end" || part.type === "reasoning-end" || part.type === "tool-call";
}

function messageEnd(finish: Extract<Part, { type: "finish" }>): JsonObject[] {
  return [
    {
      type: "message_delta",
      delta: { stop_reason: writeStopReason(finish.reason), stop_sequence: null },
      usage: writeUsage(finish.usage),
    },
    { type: "message_stop" },
  ];
}
