import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Chat } from "../../src/platform/chat-files.ts";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
  const { messages, chat } = stage.simulator;
  stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("ant"), LOCAL_KEY: chat.keys.add("local") });
  await stage.addCodexLogin("work");
}

const folder = () => join(stage.home, "chats");
const kept = (): Chat[] =>
  readdirSync(folder()).map((name) => JSON.parse(readFileSync(join(folder(), name), "utf8")) as Chat);

/** What was sent as the conversation in the last model call. */
const lastBody = (): string =>
  JSON.stringify(stage.simulator.requests.findLast(({ method }) => method === "POST")?.body);

describe("chat", () => {
  it("keeps the conversation from question to question, and over switches and ends of the program", async () => {
    await open();
    const first = await stage.run(["chat"], { input: "first question\nsecond question\n" });
    expect(first).toMatchObject({
      code: 0,
      stdout: "The simulator heard: first question\nThe simulator heard: second question\n",
      stderr: "",
    });
    expect(lastBody()).toMatch(/first question.*The simulator heard: first question.*second question/);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    const [chat] = kept();
    expect(chat?.messages.map(({ role, by }) => [role, by])).toEqual([
      ["user", undefined],
      ["assistant", "codex/gpt-5.5 · work"],
      ["user", undefined],
      ["assistant", "codex/gpt-5.5 · work"],
    ]);

    stage.simulator.codex.script("quota-exhausted");
    const resumed = await stage.run(["chat", "--resume"], { input: "third \\\nquestion\n" });
    expect(resumed).toMatchObject({ code: 0, stdout: "The simulator heard: third \nquestion\n" });
    expect(resumed.stderr).toMatch(
      /^codex\/gpt-5\.5 · work: the plan's limit is reached, .* -> anthropic\/claude-sonnet-5 · \$ANTHROPIC_API_KEY\n$/,
    );
    expect(lastBody()).toMatch(/first question.*second question.*third \\+nquestion/);
    expect(kept()).toHaveLength(1);
    expect(kept()[0]?.messages.at(-1)).toMatchObject({ by: "anthropic/claude-sonnet-5 · $ANTHROPIC_API_KEY" });

    const listed = await stage.run(["chat", "--list"]);
    expect(listed.stdout).toMatch(/^\d{8}-\d{4}-[0-9a-f]{4} {2}.* ago\) {2}first question\n$/);
    const { chats } = JSON.parse((await stage.run(["chat", "--list", "--json"])).stdout) as { chats: unknown[] };
    expect(chats).toMatchObject([{ id: chat?.id, questions: 3, first: "first question", route: null }]);
  });

  it("has its commands: another target, why, usage, a new beginning, the end", async () => {
    await open();
    const input = [
      "one",
      "/model anthropic/claude-haiku-4-5",
      "two",
      "/why",
      "/usage",
      "/route coding",
      "/new",
      "three",
      "/nonsense",
      "/quit",
      "never",
    ];
    const { code, stdout, stderr } = await stage.run(["chat"], { input: `${input.join("\n")}\n` });
    expect(code).toBe(0);
    expect(stdout).toContain("The simulator heard: two\n");
    expect(stdout).toMatch(/turn_\w+ · route anthropic\/claude-haiku-4-5 · .* · answered/);
    expect(stdout).toContain("1. anthropic/claude-haiku-4-5 · $ANTHROPIC_API_KEY: answered");
    expect(stdout).toMatch(/codex · work \(plus plan.*\)\n {2}5 h {2}█/);
    expect(stderr).toContain("From here on: route coding: codex/gpt-5.5, anthropic/claude-sonnet-5, local/qwen3");
    expect(stderr).toContain("There is no /nonsense: /help says what there is.");
    expect(stdout).not.toContain("never");
    expect(lastBody()).toContain("three");
    expect(lastBody()).not.toContain("one");
    expect(
      kept()
        .map(({ route, messages }) => `${route ?? ""} ${messages[0]?.text ?? ""}`)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(["coding one", "coding three"]);
  });

  it("tells a failed question with what helps, takes it out, and goes on", async () => {
    await open();
    stage.simulator.codex.script("invalid-request");
    const { code, stdout, stderr } = await stage.run(["chat", "--route", "codex/gpt-5.5"], { input: "lost\nfound\n" });
    expect(code).toBe(0);
    expect(stderr).toContain("understudy: nobody on route codex/gpt-5.5 could answer");
    expect(stdout).toContain("The simulator heard: found");
    expect(lastBody()).not.toContain("lost");
    expect(kept()[0]?.messages).toHaveLength(2);
  });

  it("keeps what was read of an answer that broke off", async () => {
    await open();
    stage.simulator.codex.script("cut-mid-text");
    const { stdout, stderr } = await stage.run(["chat", "--route", "codex/gpt-5.5"], { input: "tell me\nand then?\n" });
    expect(stderr).toContain("the answer broke off");
    const [chat] = kept();
    expect(chat?.messages[1]).toMatchObject({ role: "assistant", cut: true });
    expect(stdout.startsWith(`${chat?.messages[1]?.text ?? "?"}\n`)).toBe(true);
    expect(lastBody()).toContain("and then?");
  });

  it("keeps nothing when told so, and says which conversation there is not", async () => {
    await open();
    await stage.run(["chat", "--no-save"], { input: "secret\n" });
    expect((await stage.run(["chat", "--list"])).stderr).toBe("There is no conversation yet.\n");
    const none = await stage.run(["chat", "--resume", "2026"], { input: "x\n" });
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("Run understudy chat --list");
    expect((await stage.run(["chat", "--route", "nowhere"], { input: "x\n" })).code).toBe(2);
    await stage.run(["chat"], { input: "one\n" });
    writeFileSync(join(folder(), "broken.json"), "{");
    expect((await stage.run(["chat", "--list"])).stdout.split("\n")).toHaveLength(2);
  });

  it.runIf(hasScript)(
    "stops an answer at Ctrl-C and goes on; at the empty prompt Ctrl-C and Ctrl-D end it",
    async () => {
      await open();
      stage.simulator.codex.script("stall-mid-text");
      const running = stage.startOnTerminal(["chat", "--route", "codex/gpt-5.5"]);
      await running.until(/> /);
      running.child.stdin.write("long story\r");
      await running.until(/The sim/);
      running.child.stdin.write("\u0003");
      await running.until(/stopped[\s\S]*> /);
      running.child.stdin.write("half a line\u0003");
      await running.until(/half a line/);
      running.child.stdin.write("short one\r");
      await running.until(/heard: short one/);
      running.child.stdin.write("\u0004");
      const ended = await running.ended;
      expect(ended.code, ended.stdout).toBe(0);
      expect(ended.stdout).toMatch(/> .{0,8}\r\n(?:\S*)To go on: understudy chat --resume \d{8}-\d{4}-[0-9a-f]{4}/);
      const [chat] = kept();
      expect(
        chat?.messages.map(({ text, cut }) => [text.startsWith("The sim") ? "answer" : text, cut === true]),
      ).toEqual([
        ["long story", false],
        ["answer", true],
        ["short one", false],
        ["answer", false],
      ]);

      const again = stage.startOnTerminal(["chat", "--resume", chat?.id.slice(0, 10) ?? ""]);
      await again.until(/goes on after 2 questions[\s\S]*> /);
      again.child.stdin.write("\u0003");
      const interrupted = await again.ended;
      expect(interrupted.code).toBe(130);
      expect(interrupted.stdout).toMatch(/\n\S*understudy:\S* cancelled/);
      expect(kept()).toHaveLength(1);
    },
  );
});
