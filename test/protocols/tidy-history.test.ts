import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/protocols/canonical.ts";
import { interruptedResult, tidyHistory } from "../../src/protocols/tidy-history.ts";
import { fitToolId, inventToolId, type ToolIdRule } from "../../src/protocols/tool-id.ts";

const rule: ToolIdRule = { maxLength: 40, forbidden: /[^A-Za-z0-9_-]/g };

function user(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}

function system(text: string): Message {
  return { role: "system", content: [{ type: "text", text }] };
}

/** An assistant message: plain words are text, words that begin with # are calls with that id. */
function assistant(...words: string[]): Message {
  return {
    role: "assistant",
    content: words.map((word) =>
      word.startsWith("#")
        ? { type: "tool-call", id: word.slice(1), name: "f", input: "{}" }
        : { type: "text", text: word },
    ),
  };
}

function results(...ids: string[]): Message {
  return {
    role: "tool",
    content: ids.map((id) => ({
      type: "tool-result",
      id,
      isError: false,
      content: [{ type: "text", text: `of ${id}` }],
    })),
  };
}

/** One line per message. */
function outline(messages: readonly Message[]): string[] {
  return messages.map(({ role, content }) => {
    const words = content.map((item) => {
      if (item.type === "text") return item.text;
      if (item.type === "tool-call") return `#${item.id}`;
      if (item.type === "tool-result") {
        const text = item.content.map((inner) => (inner.type === "text" ? inner.text : "image")).join();
        return `${item.id}=${text === interruptedResult ? "interrupted" : text}`;
      }
      return item.type;
    });
    return `${role}: ${words.join(", ")}`;
  });
}

describe("a tidy history", () => {
  it.each<[string, Message[], string[], string[]]>([
    [
      "stays as it is when it is tidy",
      [user("hi"), assistant("ok", "#a"), results("a")],
      ["user: hi", "assistant: ok, #a", "tool: a=of a"],
      [],
    ],
    [
      "loses blank texts and messages with nothing else",
      [
        system(" "),
        user("\n"),
        {
          role: "user",
          content: [
            { type: "text", text: "" },
            { type: "image", url: "x" },
          ],
        },
        assistant("  "),
      ],
      ["user: image"],
      [],
    ],
    [
      "gives a call without a result one that says so",
      [assistant("#a", "#b"), results("b"), user("on")],
      ["assistant: #a, #b", "tool: a=interrupted, b=of b", "user: on"],
      [],
    ],
    [
      "closes a call at the very end",
      [user("hi"), assistant("#a")],
      ["user: hi", "assistant: #a", "tool: a=interrupted"],
      [],
    ],
    [
      "drops results without a call, before their call, and second ones",
      [results("a"), assistant("#a"), results("a", "x"), results("a")],
      ["assistant: #a", "tool: a=of a"],
      ["a tool result without its call"],
    ],
    [
      "brings results into the order of the calls and right behind them",
      [assistant("#a", "#b"), user("wait"), results("b"), system("note"), results("a"), user("on")],
      ["assistant: #a, #b", "tool: a=of a, b=of b", "user: wait", "system: note", "user: on"],
      [],
    ],
    [
      "makes one message of neighbours that call tools one by one",
      [assistant("one"), assistant("#a"), assistant("#b"), results("a"), results("b"), assistant("two")],
      ["assistant: one, #a, #b", "tool: a=of a, b=of b", "assistant: two"],
      [],
    ],
    [
      "tells calls apart that bear the same id in one message",
      [assistant("#a", "#a"), results("a"), results("a")],
      ["assistant: #a, #a_2", "tool: a=of a, a_2=of a"],
      [],
    ],
    [
      "does not give a result to an interrupted call of an earlier turn",
      [assistant("#a"), user("again"), assistant("#a"), results("a")],
      ["assistant: #a", "tool: a=interrupted", "user: again", "assistant: #a_2", "tool: a_2=of a"],
      [],
    ],
    [
      "tells calls apart that bear the same id in different turns",
      [assistant("#a"), results("a"), assistant("#a"), results("a")],
      ["assistant: #a", "tool: a=of a", "assistant: #a_2", "tool: a_2=of a"],
      [],
    ],
  ])("%s", (_, messages, expected, dropped) => {
    const tidy = tidyHistory(messages, rule);
    expect(outline(tidy.messages)).toEqual(expected);
    expect([...tidy.dropped]).toEqual(dropped);
  });

  const word = fc.constantFrom("text", " ", "#a", "#b", "#c|d", "");
  const message = fc.oneof(
    word.filter((text) => !text.startsWith("#")).map(user),
    fc.constantFrom("note", "").map(system),
    fc.array(word, { maxLength: 4 }).map((words) => assistant(...words)),
    fc.array(fc.constantFrom("a", "b", "c|d", "x"), { maxLength: 3 }).map((ids) => results(...ids)),
  );

  it("always answers each call exactly once, right behind its message, under an id of its own", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const tidy = tidyHistory(messages, rule).messages;
        const seen = new Set<string>();
        for (const [index, { role, content }] of tidy.entries()) {
          expect(content.length).toBeGreaterThan(0);
          const calls = role === "assistant" ? content.filter((item) => item.type === "tool-call") : [];
          const next = tidy[index + 1];
          const answered = next?.role === "tool" ? next.content.map(({ id }) => id) : [];
          if (role === "assistant") expect(answered).toEqual(calls.map(({ id }) => id));
          else expect(next?.role).not.toBe("tool");
          for (const { id } of calls) {
            expect(id).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
            expect(seen.has(id)).toBe(false);
            seen.add(id);
          }
        }
      }),
    );
  });

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const once = tidyHistory(messages, rule).messages;
        expect(tidyHistory(once, rule)).toEqual({ messages: once, dropped: new Set() });
      }),
    );
  });
});

describe("the id of a tool call", () => {
  it("stays when it fits, else keeps its readable part", () => {
    expect(fitToolId("toolu_01-x", rule)).toBe("toolu_01-x");
    expect(fitToolId("call_1|fc_2", rule)).toMatch(/^call_1_fc_2_[0-9a-f]{16}$/);
    expect(fitToolId("y".repeat(41), rule)).toMatch(/^y{23}_[0-9a-f]{16}$/);
    expect(fitToolId("", rule)).toMatch(/^call_[0-9a-f]{16}$/);
  });

  it("always fits, is always the same, and fits again unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), (id) => {
        const fitted = fitToolId(id, rule);
        expect(fitted).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
        expect(fitToolId(id, rule)).toBe(fitted);
        expect(fitToolId(fitted, rule)).toBe(fitted);
      }),
    );
  });

  it("keeps ids apart that look alike once cleaned", () => {
    expect(fitToolId("a.b", rule)).not.toBe(fitToolId("a:b", rule));
    expect(fitToolId("z".repeat(41), rule)).not.toBe(fitToolId("z".repeat(42), rule));
  });

  it("that is invented differs by answer, position and name", () => {
    const ids = [
      inventToolId("r1", 0, "f"),
      inventToolId("r2", 0, "f"),
      inventToolId("r1", 1, "f"),
      inventToolId("r1", 0, "g"),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(inventToolId("r1", 0, "f")).toBe(ids[0]);
  });
});
