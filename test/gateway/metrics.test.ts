import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseMetrics, type ParsedMetrics } from "../rig/prometheus-text.ts";
import { type GatewayRig, openGatewayRig } from "./rig.ts";

const hello = { model: "coding", input: "hello", stream: true };

async function scrape(rig: GatewayRig): Promise<ParsedMetrics> {
  return parseMetrics((await rig.ask("/metrics")).text);
}

describe("the metrics of a gateway", () => {
  it("count attempts, failures, switches, cooldowns, refreshes, tokens and time", async () => {
    await using rig = await openGatewayRig();
    const { simulator, workspace } = rig.stage;
    simulator.codex.setBehaviour("ann", { name: "quota-exhausted", resetsInS: 3_600 });
    await rig.ask("/v1/responses", { body: hello });
    const metrics = await scrape(rig);
    expect(metrics.value('understudy_turns_total{outcome="answered"}')).toBe(1);
    expect(metrics.value('understudy_failures_total{provider="codex",reason="quota",scope="credential"}')).toBe(1);
    expect(metrics.value('understudy_cooldowns_total{provider="codex",reason="quota"}')).toBe(1);
    expect(metrics.value('understudy_active_cooldowns{provider="codex",reason="quota"}')).toBe(1);
    expect(metrics.value('understudy_credentials{provider="codex",state="resting"}')).toBe(1);
    expect(metrics.value('understudy_switches_total{from="codex",to="codex"}')).toBeGreaterThan(0);
    expect(metrics.value('understudy_attempts_total{provider="codex"}')).toBeGreaterThan(1);
    expect(metrics.value("understudy_first_event_seconds_count")).toBe(1);
    expect(metrics.value("understudy_overhead_seconds_count")).toBe(1);
    expect(metrics.value("understudy_overhead_seconds_sum")).toBeGreaterThan(0);
    expect(metrics.value("understudy_open_turns")).toBe(0);
    expect(metrics.value("understudy_open_streams")).toBe(0);
    expect(metrics.value("understudy_held_bytes")).toBe(0);
    expect(metrics.value("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
    const [turn] = await workspace.store.listTurns(1);
    const server = turn?.attempts.at(-1)?.candidate.provider ?? "";
    expect(metrics.value(`understudy_tokens_total{provider="${server}",kind="output"}`)).toBe(turn?.usage?.output);
  });

  it("tell how refreshes ended, whoever asked for them", async () => {
    await using rig = await openGatewayRig();
    const { simulator } = rig.stage;
    await rig.stage.addCodexLogin("old", { expiresInS: -60 });
    for (const name of ["ann", "ben"]) simulator.codex.setBehaviour(name, "quota-exhausted");
    await rig.ask("/v1/responses", { body: hello });
    expect((await scrape(rig)).value('understudy_token_refreshes_total{provider="codex",outcome="answered"}')).toBe(1);
  });

  it("show what is held and open while it is", async () => {
    await using rig = await openGatewayRig({ routes: { coding: ["local/qwen3"] } });
    const { chat } = rig.stage.simulator;
    chat.setBehaviour("*", { name: "cut-mid-text", after: "text", pause: true });
    const asking = rig.ask("/v1/chat/completions", {
      body: { model: "coding", stream: true, messages: [{ role: "user", content: "hello there, you" }] },
    });
    await expect.poll(async () => (await scrape(rig)).value("understudy_open_streams"), { timeout: 5_000 }).toBe(1);
    expect((await scrape(rig)).value("understudy_open_turns")).toBe(1);
    rig.stage.simulator.release();
    await asking;
    expect((await scrape(rig)).value("understudy_open_streams")).toBe(0);
    expect(
      (await scrape(rig)).value('understudy_failures_total{provider="local",reason="network",scope="network"}'),
    ).toBe(1);
  });

  it("count each break of an answer that others went on in once", async () => {
    const targets = ["local/qwen3", "anthropic/claude-opus-4-8"];
    await using rig = await openGatewayRig({ routes: { coding: { targets, continue: "text" } } });
    const { chat, messages } = rig.stage.simulator;
    const text = "A text that is long enough to break off in its middle, and to be gone on in.";
    for (const backend of [chat, messages]) backend.setBehaviour("*", "quota-exhausted");
    for (const next of [{ name: "cut-mid-text", text }, "quota-exhausted"] as const) {
      chat.script({ name: "cut-mid-text", text });
      messages.script(next);
      const body = { model: "coding", stream: true, messages: [{ role: "user", content: "hello" }] };
      expect((await rig.ask("/v1/chat/completions", { body })).text).toContain("the answer broke off");
      await rig.stage.workspace.store.clearCooldowns({});
    }
    const attempts = (await rig.stage.workspace.store.listTurns(9)).flatMap((turn) => turn.attempts);
    const failed = attempts.filter(({ failure }) => failure?.reason === "network");
    expect(failed.map(({ candidate, cut }) => [candidate.provider, cut])).toEqual([
      ["local", true],
      ["local", true],
      ["anthropic", true],
    ]);
    const metrics = await scrape(rig);
    const counted = (provider: string): number | undefined =>
      metrics.value(`understudy_failures_total{provider="${provider}",reason="network",scope="network"}`);
    expect([counted("local"), counted("anthropic")]).toEqual([2, 1]);
  });

  it("are all that the dashboard and the alert rules in docs/ name", async () => {
    await using rig = await openGatewayRig();
    const { types } = await scrape(rig);
    const known = new Set(types.keys());
    const folder = resolve(import.meta.dirname, "../../docs");
    const dashboard = JSON.parse(readFileSync(`${folder}/grafana/understudy.json`, "utf8")) as {
      panels: { title: string; targets?: { expr: string }[] }[];
    };
    const alerts = parse(readFileSync(`${folder}/alerts/understudy.yaml`, "utf8")) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
    };
    const expressions = [
      ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
      ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
    ];
    expect(expressions.length).toBeGreaterThan(15);
    for (const [title, expression] of expressions) {
      const named = expression.match(/\b(?:understudy|process)_\w+/g) ?? [];
      expect(named, title).not.toEqual([]);
      for (const name of named) {
        const family = name.replace(/_(?:bucket|sum|count)$/, "");
        expect(known.has(types.get(family) === "histogram" ? family : name), `${title}: ${name}`).toBe(true);
      }
    }
  });
});
