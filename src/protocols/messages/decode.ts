import type { JsonObject, Opaque, Part } from "../canonical.ts";
import type { StreamDecoder } from "../protocol.ts";
import { numberAt, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { inventToolId } from "../tool-id.ts";
import { readStopReason } from "./finish-reason.ts";
import { eventType } from "./stream.ts";
import { UsageCounter } from "./usage.ts";

/** A content block on its way. `text` is the text, the thinking, or the JSON of the input. */
interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool";
  readonly id: string;
  readonly name: string;
  text: string;
  signature: string;
  /** The input as it stood in the opening event, for servers that send it whole. */
  readonly input: JsonObject | undefined;
}

/**
 * A Messages stream → parts. Unknown events, blocks and deltas are passed over; so are blocks of server tools, which
 * have no counterpart elsewhere. A block that the stream never closed is closed at the end.
 */
export function createStreamDecoder(): StreamDecoder {
  const usage = new UsageCounter();
  const blocks = new Map<number, OpenBlock>();
  let answerId = "";
  let stopReason: string | undefined;
  let finished = false;

  return {
    decode(event) {
      const data = finished ? null : parseObject(event.data);
      if (data === null) return [];
      const index = numberAt(data, "index") ?? 0;
      switch (eventType(event, data)) {
        case "message_start": {
          const message = objectAt(data, "message");
          usage.add(objectAt(message, "usage"));
          answerId = stringAt(message, "id") ?? "";
          return [{ type: "response-start", id: answerId || null, model: stringAt(message, "model") ?? null }];
        }
        case "content_block_start":
          return [...close(index), ...open(index, objectAt(data, "content_block"))];
        case "content_block_delta":
          return grow(index, objectAt(data, "delta"));
        case "content_block_stop":
          return close(index);
        case "message_delta":
          usage.add(objectAt(data, "usage"));
          stopReason = stringAt(objectAt(data, "delta"), "stop_reason") ?? stopReason;
          return [];
        case "message_stop":
          finished = true;
          return [
            ...[...blocks.keys()].flatMap(close),
            { type: "finish", reason: readStopReason(stopReason), usage: usage.total },
          ];
        default:
          return [];
      }
    },
  };

  function open(index: number, wire: JsonObject | undefined): Part[] {
    if (wire?.["type"] === "redacted_thinking") return redacted(`reasoning-${index}`, wire);
    const { block, parts } = openBlock(index, wire, answerId);
    if (block !== null) blocks.set(index, block);
    return parts;
  }

  function grow(index: number, delta: JsonObject | undefined): Part[] {
    const known = blocks.get(index);
    if (known !== undefined) return growBlock(known, delta);
    const missing = open(index, blockOfDelta(delta));
    const block = blocks.get(index);
    return block === undefined ? [] : [...missing, ...growBlock(block, delta)];
  }

  function close(index: number): Part[] {
    const block = blocks.get(index);
    blocks.delete(index);
    return block === undefined ? [] : closeBlock(block);
  }
}

/** A whole message → parts, with the same rules as for a stream. */
export function decodeAnswer(body: JsonObject): Part[] {
  const answerId = stringAt(body, "id") ?? "";
  const parts: Part[] = [{ type: "response-start", id: answerId || null, model: stringAt(body, "model") ?? null }];
  for (const [index, wire] of objectsAt(body, "content").entries()) {
    if (wire["type"] === "redacted_thinking") {
      parts.push(...redacted(`reasoning-${index}`, wire));
      continue;
    }
    const opened = openBlock(index, wire, answerId);
    parts.push(...opened.parts);
    if (opened.block !== null) parts.push(...closeBlock(opened.block));
  }
  const usage = new UsageCounter();
  usage.add(objectAt(body, "usage"));
  parts.push({ type: "finish", reason: readStopReason(stringAt(body, "stop_reason")), usage: usage.total });
  return parts;
}

/** The block that a delta without an opening event belongs to. Not for tools: their name is in the opening. */
export function blockOfDelta(delta: JsonObject | undefined): JsonObject | undefined {
  if (delta?.["type"] === "text_delta") return { type: "text", text: "" };
  if (delta?.["type"] === "thinking_delta") return { type: "thinking", thinking: "" };
  return undefined;
}

function openBlock(
  index: number,
  wire: JsonObject | undefined,
  answerId: string,
): { block: OpenBlock | null; parts: Part[] } {
  switch (wire?.["type"]) {
    case "text": {
      const block = newBlock("text", `text-${index}`);
      const text = stringAt(wire, "text") ?? "";
      return {
        block,
        parts: [{ type: "text-start", id: block.id }, ...growBlock(block, { type: "text_delta", text })],
      };
    }
    case "thinking": {
      const block = newBlock("reasoning", `reasoning-${index}`);
      const thinking = stringAt(wire, "thinking") ?? "";
      const parts = growBlock(block, { type: "thinking_delta", thinking });
      growBlock(block, { type: "signature_delta", signature: stringAt(wire, "signature") ?? "" });
      return { block, parts: [{ type: "reasoning-start", id: block.id }, ...parts] };
    }
    case "tool_use": {
      const name = stringAt(wire, "name") ?? "";
      const id = stringAt(wire, "id") || inventToolId(answerId, index, name);
      const block = newBlock("tool", id, name, objectAt(wire, "input"));
      return { block, parts: [{ type: "tool-input-start", id, name }] };
    }
    default:
      return { block: null, parts: [] };
  }
}

function newBlock(kind: OpenBlock["kind"], id: string, name = "", input?: JsonObject): OpenBlock {
  return { kind, id, name, input, text: "", signature: "" };
}

function growBlock(block: OpenBlock, delta: JsonObject | undefined): Part[] {
  const kind = delta?.["type"];
  if (block.kind === "text" && kind === "text_delta") {
    const text = stringAt(delta, "text") ?? "";
    block.text += text;
    return text === "" ? [] : [{ type: "text-delta", id: block.id, text }];
  }
  if (block.kind === "reasoning" && kind === "thinking_delta") {
    const text = stringAt(delta, "thinking") ?? "";
    block.text += text;
    return text === "" ? [] : [{ type: "reasoning-delta", id: block.id, text }];
  }
  if (block.kind === "reasoning" && kind === "signature_delta") {
    block.signature += stringAt(delta, "signature") ?? "";
    return [];
  }
  if (block.kind === "tool" && kind === "input_json_delta") {
    const text = stringAt(delta, "partial_json") ?? "";
    block.text += text;
    return text === "" ? [] : [{ type: "tool-input-delta", id: block.id, delta: text }];
  }
  return [];
}

function closeBlock(block: OpenBlock): Part[] {
  switch (block.kind) {
    case "text":
      return [{ type: "text-end", id: block.id }];
    case "reasoning": {
      if (block.signature === "") return [{ type: "reasoning-end", id: block.id }];
      const data: JsonObject = { type: "thinking", thinking: block.text, signature: block.signature };
      return [{ type: "reasoning-end", id: block.id, opaque: { protocol: "messages", data } }];
    }
    case "tool": {
      const { id, name } = block;
      if (block.text !== "") return [{ type: "tool-call", id, name, input: block.text }];
      const input = JSON.stringify(block.input ?? {});
      return [
        { type: "tool-input-delta", id, delta: input },
        { type: "tool-call", id, name, input },
      ];
    }
  }
}

function redacted(id: string, data: JsonObject): Part[] {
  const opaque: Opaque = { protocol: "messages", data };
  return [
    { type: "reasoning-start", id },
    { type: "reasoning-end", id, opaque },
  ];
}
