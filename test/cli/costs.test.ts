import { afterEach, describe, expect, it } from "vitest";
import type { TurnRecord } from "../../src/core/events.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

/** Nothing is known of what the local model costs. */
const withPrices = (simulator: Simulator): string => `${threeTargets(simulator)}
prices:
  codex/gpt-5.5: { input: 2, cachedInput: 0.2, output: 10 }
  anthropic/claude-sonnet-5: { input: 3, output: 15 }
`;

describe("what a switch costs", () => {
  it("is said before it by `routes --explain` and after it by `why`", async () => {
    stage = await openCliStage(withPrices);
    const { messages, chat } = stage.simulator;
    stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("ant"), LOCAL_KEY: chat.keys.add("local") });
    const { credential } = await stage.addCodexLogin("work");
    const { id, label } = credential;
    const earlier: TurnRecord = {
      id: "turn_earlier",
      route: "coding",
      startedAt: Date.now() - 60_000,
      endedAt: Date.now() - 59_000,
      outcome: "answered",
      attempts: [
        {
          candidate: { provider: "codex", model: "gpt-5.5", credential: { id, label } },
          startedAt: Date.now() - 60_000,
          endedAt: Date.now() - 59_000,
          called: true,
          failure: null,
          decision: null,
        },
      ],
      usage: { input: 10_000, cachedInput: 9_000, output: 1_000, reasoning: 0 },
    };
    await stage.withWorkspace(async ({ store }) => store.appendTurn(earlier));

    const before = await stage.run(["routes", "coding", "--explain"]);
    expect(before.stdout.split("\n")).toEqual([
      "coding",
      "  1. codex/gpt-5.5 · work: serves the next turn",
      "  2. anthropic/claude-sonnet-5 · $ANTHROPIC_API_KEY: ready",
      // 10,000 × $3 + 1,000 × $15, instead of 1,000 × $2 + 9,000 × $0.2 + 1,000 × $10, per million.
      "     a switch: its prompt cache is cold: 9000 input tokens would be read anew; a turn like the last $0.045 instead of $0.014",
      "  3. local/qwen3 · $LOCAL_KEY: ready",
      "     a switch: its prompt cache is cold: 9000 input tokens would be read anew",
      "  reckoned by turn_earlier, which codex/gpt-5.5 · work answered",
      "",
    ]);

    stage.simulator.codex.script({ name: "soft-quota", resetsInS: 3_600 });
    await stage.run(["ask", "Say hello"]);

    const { stdout } = await stage.run(["why"]);
    expect(stdout).toMatch(
      /quota after .*\n {5}decided by .*, scope credential; then: .*\n {5}rests until (?:\d+ \w+ )?\d\d:\d\d/,
    );
    const { attempts, cost, usage } = JSON.parse((await stage.run(["why", "--json"])).stdout) as {
      attempts: { restsUntil: string | null; waitedMs: number }[];
      cost: { usd: number; from: string };
      usage: { input: number; output: number };
    };
    expect(attempts[0]?.restsUntil).toMatch(/^\d{4}-/);
    expect(attempts.map(({ waitedMs }) => waitedMs)).toEqual([0, 0]);
    expect(cost).toEqual({
      usd: expect.closeTo((usage.input * 3 + usage.output * 15) / 1e6, 12) as number,
      from: "prices",
    });
    expect(stdout).toMatch(/\n {2}cost: \$[\d.]+, by the prices of the configuration\n/);
    expect(stdout).toContain(
      `\n  the switch from codex/gpt-5.5 · work: up to ${usage.input} tokens of its prompt cache read anew; $`,
    );

    const after = await stage.run(["routes", "--explain", "--json"]);
    expect(JSON.parse(after.stdout)).toMatchObject({
      routes: [
        {
          name: "coding",
          candidates: [{ provider: "anthropic", switchCost: null }, { provider: "local" }],
          out: [{ target: "codex/gpt-5.5", credential: "work", until: expect.stringMatching(/^\d{4}-/) as string }],
        },
      ],
    });
  });
});
