import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";

const sealed: JsonObject = {
  type: "reasoning",
  summary: [{ type: "summary_text", text: "hm" }],
  encrypted_content: "x",
};

describe("repairRequest", () => {
  it("takes out what only its issuer can read and leaves all else", () => {
    const call = { type: "function_call", id: "fc_1", call_id: "a", name: "exec", arguments: "{}" };
    const body: JsonObject = {
      model: "m",
      include: ["reasoning.encrypted_content"],
      input: [
        { role: "user", content: "hi" },
        { ...sealed, id: "rs_1" },
        { type: "item_reference", id: "rs_2" },
        { type: "item_reference", id: "msg_1" },
        { type: "compaction", encrypted_content: "x" },
        { type: "some_item", id: "si_1", encrypted_content: "x", a: 1 },
        { type: "message", id: "rs_tmp_3", role: "assistant", content: [] },
        call,
        { type: "web_search_call", id: "ws_1" },
        "odd",
      ],
    };
    const before = structuredClone(body);
    expect(responses.repairRequest(body)).toEqual({
      ...body,
      input: [
        { role: "user", content: "hi" },
        { type: "item_reference", id: "msg_1" },
        { type: "some_item", id: "si_1", a: 1 },
        { type: "message", role: "assistant", content: [] },
        // Its id would say that the reasoning before it is missing.
        { type: "function_call", call_id: "a", name: "exec", arguments: "{}" },
        { type: "web_search_call", id: "ws_1" },
        "odd",
      ],
    });
    expect(body).toEqual(before);
  });

  it("takes out only what is foreign, when it is told what is", () => {
    const message = { type: "message", id: "msg_1", role: "assistant", content: [] };
    const theirs = { ...sealed, id: "rs_2", encrypted_content: "theirs" };
    const odd = { type: "some_item", id: "si_1", encrypted_content: "theirs", a: 1 };
    const input = [{ ...sealed, id: "rs_1" }, message, theirs, message, odd];
    expect(responses.repairRequest({ input }, (seal) => seal === "theirs")).toEqual({
      input: [{ ...sealed, id: "rs_1" }, message, message, { type: "some_item", id: "si_1", a: 1 }],
    });
    expect(responses.repairRequest({ input }, () => false)).toBeNull();
  });

  it.each<JsonObject>([{}, { input: "hi" }, { input: [] }, { input: [{ role: "user", content: "rs_1" }] }])(
    "has nothing to take out of %j",
    (body) => {
      expect(responses.repairRequest(body)).toBeNull();
    },
  );
});

describe("cleanRequest", () => {
  const clean = (text: string): string => responses.cleanRequest?.(text) ?? "";
  /** What Codex keeps of an answer and sends back. */
  const history = (opaque?: JsonObject): JsonObject[] => {
    const answer = responses.encodeAnswer(
      [
        { type: "reasoning-delta", id: "r", text: "hm" },
        { type: "reasoning-end", id: "r", ...(opaque && { opaque: { protocol: "responses", data: opaque } }) },
        { type: "tool-call", id: "call_1", name: "exec", input: "{}" },
        { type: "finish", reason: "tool-calls", usage: null },
      ],
      { id: "resp_1", model: "m" },
    );
    return answer["output"] as JsonObject[];
  };
  const primary = { ...sealed, id: "rs_primary" };

  it("takes out the reasoning of another provider, and leaves the primary's and every other byte", () => {
    const [foreign, call] = history();
    const text = (items: unknown[]): string => `{"n": 12345678901234567890, "input":${JSON.stringify(items)} }`;
    expect(clean(text([primary, foreign, call]))).toBe(text([primary, call]));
  });

  it("keeps encrypted reasoning, without the id that nobody stored", () => {
    const [own] = history({ encrypted_content: "x" });
    const { input: kept } = JSON.parse(clean(JSON.stringify({ input: [own] }))) as { input: JsonObject[] };
    expect(kept).toEqual([{ type: "reasoning", summary: own?.["summary"], encrypted_content: "x" }]);
  });

  it("gives a call and its result another id where OpenAI would not take theirs, and leaves every other byte", () => {
    const long = "c".repeat(70);
    const pair = (id: string): JsonObject[] => [
      { type: "function_call", call_id: id, name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: id, output: "o" },
    ];
    const text = (items: unknown[]): string => `{"n": 1.0, "input":${JSON.stringify(items)} }`;
    const cleaned = clean(text([...pair(long), ...pair("functions.f:0"), ...pair("call_1")]));
    const { input } = JSON.parse(cleaned) as { input: { call_id: string }[] };
    const ids = input.map((item) => item.call_id);
    expect(cleaned.startsWith('{"n": 1.0, "input":[')).toBe(true);
    expect(ids.every((id) => /^[\w-]{1,64}$/.test(id))).toBe(true);
    expect([ids[0] === ids[1], ids[2] === ids[3], new Set(ids).size]).toEqual([true, true, 3]);
    expect(ids[4]).toBe("call_1");
  });

  it.each([
    '{ "input" : [ ] }',
    `{"input":[{"role":"user","content":"{\\"call_id\\":\\"${"c".repeat(70)}\\"}"}],"n":1.0}`,
    '{"input":"rs_understudy_1"}',
    `{"input": [ {"role":"user","content":"what is rs_understudy_1?"} ]}`,
    `{"input": [ ${JSON.stringify(primary)} ], "n":1.0}`,
  ])("gives %s back as it is", (text) => {
    expect(clean(text)).toBe(text);
  });
});

describe("the address", () => {
  it.each(["https://api.openai.com/v1", "https://api.openai.com/v1/", "https://api.openai.com/v1//"])(
    "of %s",
    (base) => {
      expect(responses.endpoint(base)).toBe("https://api.openai.com/v1/responses");
    },
  );

  it("carries the secret only when there is one", () => {
    expect(responses.headers("key")).toEqual({ authorization: "Bearer key", "content-type": "application/json" });
    expect(responses.headers("")).toEqual({ "content-type": "application/json" });
  });
});
