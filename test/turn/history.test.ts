import { describe, expect, it } from "vitest";
import type { Message } from "../../src/protocols/canonical.ts";
import { openStage } from "../rig/stage.ts";
import * as callers from "./callers.ts";
import { cue, lastRequest, openCrossing, pixel, playerAt, refusals, routeAt, turnCount } from "./crossing.ts";

describe("a conversation of thirty turns that changes account and provider every turn", () => {
  it.each([
    ["Responses, items kept as they came", callers.responsesWhole],
    ["Responses, items kept without ids", callers.responsesLikeCodex],
    ["Responses, items left with the provider", callers.responsesStored],
    ["Chat Completions", callers.chatCompletions],
    ["Messages with a thinking budget", callers.messagesWithBudget],
    ["Messages with adaptive thinking", callers.messagesAdaptive],
    ["the library", callers.library],
  ])("over %s is accepted by everybody at the first try, and nothing of it is lost", async (_, open) => {
    await using stage = await openCrossing();
    const conversation = open(stage);
    for (let turn = 0; turn < turnCount; turn++) {
      cue(stage, turn);
      const options = { stream: turn % 2 === 0, picture: turn % 7 === 3 };
      expect(await conversation.say(`said ${turn}.`, routeAt(turn), options), `turn ${turn}`).toBe(`text ${turn}`);
    }
    expect(refusals(stage)).toEqual([]);
    const read = lastRequest(stage);
    for (let turn = 0; turn < turnCount; turn++) {
      expect(read, `what the person said in turn ${turn}`).toContain(`said ${turn}.`);
      if (turn < turnCount - 1) expect(read, `what was answered in turn ${turn}`).toContain(`text ${turn}`);
      const calls = turn < turnCount - 1 ? turn % 3 : 0;
      for (let call = 0; call < calls; call++) {
        expect(read.match(new RegExp(`city ${turn} ${call}`, "g")), `call ${call} of turn ${turn}`).toHaveLength(2);
      }
    }
    expect(read.split(pixel).length - 1, "pictures").toBeGreaterThanOrEqual(4);
  });
});

describe("reasoning that somebody else made", () => {
  it("costs one refusal after a restart, when nobody remembers whose it is, and none after that", async () => {
    await using stage = await openCrossing();
    const [first, second] = [playerAt(0), playerAt(4)];
    expect([first.provider, second.provider]).toEqual(["codex", "codex"]);
    const before = callers.responsesWhole(stage);
    cue(stage, 0);
    await before.say("said 0", routeAt(0), { stream: true, picture: false });
    await stage.restart();
    for (const [turn, refused] of [
      [4, 1],
      [12, 1],
      [0, 1],
    ] as const) {
      cue(stage, turn);
      expect(await before.say("on", routeAt(turn), { stream: true, picture: false })).toBe(`text ${turn}`);
      expect(refusals(stage)).toHaveLength(refused);
    }
    expect(refusals(stage)[0]).toMatch(/^ben: The encrypted content .* could not be verified/);
  });

  it("comes back to who made it", async () => {
    await using stage = await openCrossing();
    const conversation = callers.responsesWhole(stage);
    for (const turn of [0, 4, 8]) {
      cue(stage, turn);
      await conversation.say("on", routeAt(turn), { stream: true, picture: false });
    }
    const read = lastRequest(stage);
    // The third turn is the first account's again: its own reasoning is there, the other's is not.
    expect(read.match(/"encrypted_content":/g)).toHaveLength(1);
    expect(read).toContain("thought 0");
    expect(read).not.toContain("thought 4");
  });
});

describe("a history that was written under laxer rules", () => {
  const text = (words: string) => ({ type: "text" as const, text: words });
  const call = (id: string) => ({ type: "tool-call" as const, id, name: "weather", input: '{"city":"Rome"}' });
  const result = (id: string) => ({ type: "tool-result" as const, id, isError: false, content: [text("sun")] });
  const histories: readonly (readonly [string, readonly Message[]])[] = [
    ["a call that nobody answered", [{ role: "assistant", content: [call("call_1")] }]],
    ["a result that nobody asked for", [{ role: "tool", content: [result("call_9")] }]],
    ["a text of nothing", [{ role: "assistant", content: [text(" ")] }]],
    [
      "two answers in a row",
      [
        { role: "assistant", content: [text("a")] },
        { role: "assistant", content: [text("b")] },
      ],
    ],
    [
      "one id for two calls",
      [
        { role: "assistant", content: [call("0")] },
        { role: "tool", content: [result("0")] },
        { role: "assistant", content: [call("0")] },
        { role: "tool", content: [result("0")] },
      ],
    ],
    [
      "an empty id",
      [
        { role: "assistant", content: [call("")] },
        { role: "tool", content: [result("")] },
      ],
    ],
    ["words of the system in between", [{ role: "system", content: [text("be brief")] }]],
    [
      "a result after the next words",
      [
        { role: "assistant", content: [call("call_1")] },
        { role: "user", content: [text("and?")] },
        { role: "tool", content: [result("call_1")] },
      ],
    ],
  ];

  it.each(histories)("%s: everybody takes it", async (_, middle) => {
    await using stage = await openCrossing();
    const messages: Message[] = [
      { role: "user", content: [text("hello")] },
      ...middle,
      { role: "user", content: [text("go on")] },
    ];
    for (let turn = 0; turn < 4; turn++) {
      expect((await stage.turn({ messages, stream: turn % 2 === 0 }, routeAt(turn))).text).toContain("go on");
    }
    expect(refusals(stage)).toEqual([]);
  });
});

describe("a picture for a model that can't see", () => {
  it("goes on to one that can, with the picture", async () => {
    await using stage = await openStage({ routes: { two: ["local/qwen3", "anthropic/claude-opus-4-8"] } });
    await stage.addKey("local", "blind");
    await stage.addKey("anthropic", "seeing");
    stage.simulator.chat.takesImages = false;
    const content = [
      { type: "text" as const, text: "what is this?" },
      { type: "image" as const, url: `data:image/png;base64,${pixel}` },
    ];
    const answer = await stage.turn({ messages: [{ role: "user", content }] }, "two");
    expect(answer.servedBy.credential.label).toBe("seeing");
    expect(lastRequest(stage)).toContain(pixel);
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
  });
});
