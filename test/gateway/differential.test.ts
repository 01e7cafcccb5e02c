import fc from "fast-check";
import { expect, it } from "vitest";
import { askBySdk, type SaidTurn } from "./ask-by-sdk.ts";
import { dialects, openGatewayRig } from "./rig.ts";

/** Conversations in all; UNDERSTUDY_CONVERSATIONS=1800 is 200 for each pair. */
const runs = Number(process.env["UNDERSTUDY_CONVERSATIONS"] ?? 54);

const words = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => `w${text}w`);
const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,30}$/);
const json = fc
  .dictionary(
    fc.string({ unit: "grapheme", maxLength: 8 }).filter((key) => key !== "__proto__"),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 4 },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

const exchange = fc.record({
  question: words,
  calls: fc.array(fc.record({ input: json, result: words }), { maxLength: 2 }),
  answer: words,
});

const pairs = dialects.flatMap((caller) => dialects.map((target) => ({ caller, target })));

const conversation = fc.record({
  pair: fc.constantFrom(...pairs),
  system: fc.option(words, { nil: undefined }),
  tools: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
  history: fc.array(exchange, { maxLength: 3 }),
  question: words,
  answer: fc.record({
    text: fc.option(words, { nil: undefined }),
    reasoning: fc.option(words, { nil: undefined }),
    calls: fc.array(json, { maxLength: 3 }),
  }),
  chunk: fc.constantFrom("event" as const, "byte" as const, 3, 17, 1_000),
  stream: fc.boolean(),
});

it(`${runs} made-up conversations arrive as the provider said them, and the provider heard all of them`, async () => {
  await using rig = await openGatewayRig();
  await fc.assert(
    fc.asyncProperty(conversation, async ({ pair, system, tools, history, question, answer, chunk, stream }) => {
      const { caller, target } = pair;
      const backend = rig.stage.simulator[target.backend];
      const text = answer.text ?? (answer.calls.length === 0 ? "something" : undefined);
      const toolCalls = answer.calls.map((input, i) => ({ name: tools[i % tools.length] ?? "", input }));
      backend.setBehaviour("*", {
        name: "answer",
        chunk,
        toolCalls,
        ...(text === undefined ? {} : { text }),
        ...(answer.reasoning === undefined ? {} : { reasoning: answer.reasoning }),
      });
      let calls = 0;
      const turns = history.flatMap((one): SaidTurn[] => [
        { by: "person", text: one.question },
        ...one.calls.map(({ input, result }): SaidTurn => {
          calls += 1;
          return { by: "tool", id: `call_${calls}`, name: tools[0] ?? "", input, result };
        }),
        { by: "model", text: one.answer },
      ]);
      const heard = await askBySdk(rig, caller.name, {
        model: target.target,
        turns: [...turns, { by: "person", text: question }],
        tools: tools.map((tool) => ({ name: tool, schema: { type: "object", properties: {} } })),
        stream,
        ...(system === undefined ? {} : { system }),
      });
      expect({ text: heard.text, calls: heard.calls, finish: heard.finish }).toEqual({
        text: text ?? "",
        calls: toolCalls,
        finish: toolCalls.length > 0 ? "tool-calls" : "stop",
      });
      const body = JSON.stringify(backend.requests.at(-1)?.body);
      const said = [
        system ?? [],
        question,
        history.flatMap((one) => [one.question, one.answer, one.calls.map(({ result }) => result)]),
      ];
      for (const words of said.flat(3)) expect(body).toContain(JSON.stringify(words).slice(1, -1));
    }),
    { numRuns: runs },
  );
}, 600_000);
