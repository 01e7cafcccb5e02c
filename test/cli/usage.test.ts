import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const asked = () => stage.simulator.requests.filter(({ path }) => path.endsWith("/usage")).length;

interface Account {
  readonly credential: { readonly label: string };
  readonly plan: string | null;
  readonly source: string | null;
  readonly windows: readonly {
    readonly usedPercent: number;
    readonly windowMinutes: number;
    readonly resetsAt: string;
  }[];
  readonly error: string | null;
}

async function usage(...args: string[]): Promise<Account[]> {
  const { stdout } = await stage.run(["usage", "--json", ...args]);
  return (JSON.parse(stdout) as { accounts: Account[] }).accounts;
}

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
}

describe("usage", () => {
  it("asks the provider for each account, and shows a bar, a percentage and the time of the next beginning", async () => {
    await open();
    await stage.addCodexLogin("ann");
    await stage.addCodexLogin("ben");
    stage.simulator.codex.setLimits("ben", {
      primary: { usedPercent: 100, windowMinutes: 300, resetsInS: 1_800 },
      credits: { hasCredits: true, unlimited: false, balance: "4.20" },
    });
    const shown = await stage.run(["usage"]);
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    // A busy machine takes a second to show what was said to the second.
    expect(shown.stdout).toMatch(
      /^codex · ann \(plus plan\)\n {2}5 h {2}█{2}░{22} {3}10 % {2}resets (?:\d+ \w+ )?\d\d:\d\d \(in (?:1 h|59 min)\)\n {2}7 d {2}█{5}░{19} {3}20 % {2}resets .* \(in (?:3 d|2 d 23 h)\)\n/,
    );
    expect(shown.stdout).toMatch(
      /codex · ben \(plus plan\)\n {2}5 h {2}█{24} {2}100 % {2}resets .* \(in (?:30|29) min\)\n/,
    );
    expect(shown.stdout).toContain("  credits: 4.20\n");
    expect(asked()).toBe(2);
  });

  it("remembers what came beside answers and refusals, of each account for itself, and calls nobody with --cached", async () => {
    await open();
    await stage.addCodexLogin("ann");
    expect(await usage("--cached")).toMatchObject([{ plan: "plus", source: null, windows: [], error: null }]);
    stage.simulator.codex.setLimits("ann", { primary: { usedPercent: 55, windowMinutes: 300, resetsInS: 600 } });
    await stage.run(["ask", "hello"]);
    const before = stage.simulator.requests.length;
    // The event inside of the answer comes after its headers, and has the last word.
    expect(await usage("--cached")).toMatchObject([
      { source: "event", windows: [{ usedPercent: 10, windowMinutes: 300 }, { usedPercent: 20 }] },
    ]);
    expect((await stage.run(["usage", "--cached"])).stdout).toContain("10 %");
    expect(stage.simulator.requests).toHaveLength(before);

    await stage.addCodexLogin("ben");
    stage.simulator.codex.setLimits("ann", { primary: { usedPercent: 100, windowMinutes: 300, resetsInS: 600 } });
    stage.simulator.codex.script("quota-exhausted", { for: "ann" });
    expect((await stage.run(["ask", "hello"])).code).toBe(0);
    expect(
      (await usage("--cached")).map(({ credential, source, windows }) => [
        credential.label,
        source,
        windows[0]?.usedPercent,
      ]),
    ).toEqual([
      ["ann", "headers", 100],
      ["ben", "event", 10],
    ]);
    // Nothing secret is written beside the store.
    const folder = join(stage.home, "cache");
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), "utf8");
      for (const secret of stage.simulator.secrets) expect(text.includes(secret)).toBe(false);
    }
  });

  it("shows what it remembers when the provider can't be asked, and says why", async () => {
    await open();
    const { account } = await stage.addCodexLogin("ann");
    await usage();
    await stage.simulator.codex.stop();
    const down = await stage.run(["usage"]);
    expect(down.code).toBe(0);
    expect(down.stdout).toContain("10 %");
    expect(down.stderr).toMatch(/codex · ann can't be asked: the provider can't be reached/);
    await stage.simulator.codex.start();
    stage.simulator.codexIssuer.revokeLogins(account);
    const dead = await stage.run(["usage"]);
    expect(dead.stderr).toContain("Run understudy auth add codex --force-new-login");
    expect(await usage()).toMatchObject([{ error: "relogin_required", windows: [{ usedPercent: 10 }, {}] }]);
  });

  it("says so where there is no plan", async () => {
    await open();
    const none = await stage.run(["usage"]);
    expect(none).toMatchObject({ code: 0, stdout: "", stderr: "No login with a plan: keys have no windows.\n" });
    expect((await stage.run(["usage", "anthropic"])).stderr).toContain("No login with a plan at anthropic");
    expect((await stage.run(["usage", "antropic"])).code).toBe(2);
  });
});
