import fc from "fast-check";
import type { Usage } from "../../src/core/events.ts";
import type { FinishReason, Json, Message, Part } from "../../src/protocols/canonical.ts";

const shortText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });

/** A text as a stream may cut it: pieces that are never empty. */
const pieces = fc.array(shortText, { minLength: 1, maxLength: 4 });

type Block =
  | { readonly kind: "text" | "reasoning"; readonly pieces: readonly string[] }
  | { readonly kind: "call"; readonly name: string; readonly input: Json; readonly cuts: readonly number[] };

const block: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ kind: fc.constantFrom("text" as const, "reasoning" as const), pieces }),
  fc.record({
    kind: fc.constant("call" as const),
    name: fc.stringMatching(/^[a-z][a-z_]{0,9}$/),
    input: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 3,
    }) as fc.Arbitrary<Json>,
    cuts: fc.array(fc.nat(40), { maxLength: 3 }),
  }),
);

const usage: fc.Arbitrary<Usage> = fc
  .tuple(fc.integer({ min: 1, max: 9_999 }), fc.integer({ min: 1, max: 9_999 }), fc.nat(100), fc.nat(100))
  .map(([input, output, cached, reasoning]) => ({
    input,
    output,
    cachedInput: Math.floor((input * cached) / 100),
    reasoning: Math.floor((output * reasoning) / 100),
  }));

/**
 * The parts of a complete answer with something for the caller in it: blocks one after another, ids unique, a finish reason
 * that fits what was said.
 */
export const answerParts: fc.Arbitrary<Part[]> = fc
  .record({
    blocks: fc.array(block, { maxLength: 5 }),
    last: block.filter(({ kind }) => kind !== "reasoning"),
    usage,
    cut: fc.constantFrom<FinishReason>("stop", "stop", "length", "content-filter"),
  })
  .map(({ blocks, last, usage: counted, cut }) => {
    const all = [...blocks, last];
    const reason = all.some(({ kind }) => kind === "call") ? "tool-calls" : cut;
    return [
      { type: "response-start", id: "resp_1", model: "m" } as const,
      ...all.flatMap(partsOf),
      { type: "finish", reason, usage: counted } as const,
    ];
  });

function partsOf(item: Block, index: number): Part[] {
  if (item.kind === "call") {
    const id = `call_${index}`;
    const input = JSON.stringify(item.input);
    return [
      { type: "tool-input-start", id, name: item.name },
      ...cut(input, item.cuts).map((delta): Part => ({ type: "tool-input-delta", id, delta })),
      { type: "tool-call", id, name: item.name, input },
    ];
  }
  const { kind } = item;
  const id = `${kind}-${index}`;
  return [
    { type: `${kind}-start`, id },
    ...item.pieces.map((text): Part => ({ type: `${kind}-delta`, id, text })),
    { type: `${kind}-end`, id },
  ];
}

function cut(text: string, at: readonly number[]): string[] {
  const edges = [...new Set([0, ...at.filter((edge) => edge < text.length), text.length])].sort((a, b) => a - b);
  return edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
}

const said = fc.stringMatching(/^[a-zäß👋 ]{0,10}[a-z]$/u);

/**
 * Histories as any client may send them: also with blank texts, calls that were never answered, results of no call, system messages
 * anywhere and ids that some providers refuse.
 */
export const anyHistory: fc.Arbitrary<Message[]> = fc.array(
  fc.oneof(
    fc
      .constantFrom("system" as const, "user" as const)
      .chain((role) =>
        fc
          .oneof(said, fc.constantFrom("", " \n"))
          .map((text): Message => ({ role, content: [{ type: "text", text }] })),
      ),
    fc
      .array(
        fc.oneof(
          said.map((text) => ({ type: "text" as const, text })),
          fc.constant({ type: "reasoning" as const, text: "hm" }),
          fc
            .constantFrom("a", "b", "c|d", "e".repeat(70))
            .map((id) => ({ type: "tool-call" as const, id, name: "f", input: '{"x":1}' })),
        ),
        { maxLength: 4 },
      )
      .map((content): Message => ({ role: "assistant", content })),
    fc
      .array(
        fc.constantFrom("a", "b", "c|d", "e".repeat(70), "nobody").map((id) => ({
          type: "tool-result" as const,
          id,
          isError: false,
          content: [{ type: "text" as const, text: `of ${id}` }],
        })),
        { maxLength: 3 },
      )
      .map((content): Message => ({ role: "tool", content })),
  ),
  { maxLength: 10 },
);

/** Names and words of all three protocols, so that garbage gets past the first check. */
const words = oneWordOf(`
  message_start content_block_start content_block_delta content_block_stop message_delta message_stop
  text text_delta thinking thinking_delta redacted_thinking tool_use input_json_delta error image tool_result
  response.created response.output_item.added response.output_item.done response.output_text.delta
  response.function_call_arguments.delta response.completed response.failed response.incomplete
  message function_call reasoning output_text refusal completed failed incomplete
  user assistant system developer tool function image_url stop { [DONE]`);
const keys = oneWordOf(`
  type index message content content_block delta text thinking signature partial_json
  id name input error usage choices finish_reason tool_calls function arguments role
  response output item output_index content_index status summary call_id item_id model
  messages system tools tool_choice source input_tokens prompt_tokens input_schema __proto__`);

function oneWordOf(list: string): fc.Arbitrary<string> {
  return fc.constantFrom(...list.trim().split(/\s+/));
}

/** JSON that looks like a protocol from afar and makes no sense from near. */
export const wildJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300, ""),
    words,
    fc.string({ maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(keys, tie("value")), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries) as object),
})).value;

/** An event with any name and any data, most of it wild JSON. */
export const wildEvent = fc.record({
  event: fc.option(fc.oneof(words, fc.string({ maxLength: 8 }))),
  data: fc.oneof({ weight: 4, arbitrary: wildJson.map((value) => JSON.stringify(value)) }, words, fc.string()),
});
