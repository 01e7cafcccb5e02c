import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { protocolNames } from "../../src/core/target.ts";
import { protocols } from "../../src/protocols/index.ts";

const options = { model: 'm "1"', id: "resp_é" };

/** The last event in this text, without the number that each has for itself. */
function lastEvent(text: string): string {
  const [event = ""] = text.split("\n\n").slice(-2);
  return event.replace(/"sequence_number":\d+/, '"sequence_number":0');
}

describe("one more piece of text", () => {
  it.each(protocolNames)("is written as the first one was, byte for byte: %s", (name) => {
    const runs = fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      const delta = { type: "text-delta", id: "t", text } as const;
      const first = protocols[name].createStreamEncoder(options).encode(delta);
      const encoder = protocols[name].createStreamEncoder(options);
      encoder.encode({ type: "text-start", id: "t" });
      encoder.encode({ type: "text-delta", id: "t", text: "before" });
      const more = encoder.encode(delta);
      expect(more.split("\n\n")).toHaveLength(2);
      expect(lastEvent(more)).toBe(lastEvent(first));
    });
    fc.assert(runs);
  });

  it.each(protocolNames)("is nothing after the end, and nothing when it is empty: %s", (name) => {
    const encoder = protocols[name].createStreamEncoder(options);
    encoder.encode({ type: "text-delta", id: "t", text: "before" });
    expect(encoder.encode({ type: "text-delta", id: "t", text: "" })).toBe("");
    encoder.encode({ type: "text-end", id: "t" });
    encoder.encode({ type: "finish", reason: "stop", usage: null });
    expect(encoder.encode({ type: "text-delta", id: "t", text: "after" })).toBe("");
  });
});
