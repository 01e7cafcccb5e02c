import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CredentialView } from "../../src/cli/credential-view.ts";
import type { CliStage } from "../cli/rig.ts";
import { type CommandCase, feed, run } from "./case.ts";

const key = "sk-or-manual-0123456789";

async function views(stage: CliStage, provider: string): Promise<readonly CredentialView[]> {
  const { out } = await run(stage, "auth", "list", provider, "--json");
  return (JSON.parse(out) as { providers: { credentials: CredentialView[] }[] }).providers[0]?.credentials ?? [];
}

async function addKeys(stage: CliStage, ...labels: string[]): Promise<void> {
  for (const label of labels) {
    const args = ["auth", "add", "openrouter", "--api-key-stdin", "--label", label];
    const { code, said } = await feed(stage, `${key}-${label}\n`, ...args);
    if (code !== 0) throw new Error(said);
  }
}

const rest = (stage: CliStage, reason: "quota" | "rate_limit" | "billing", until: number) =>
  stage.withWorkspace(async ({ store }) => {
    const [one] = await store.listCredentials("openrouter");
    await store.putCooldown({
      provider: "openrouter",
      credentialId: one?.id ?? "",
      model: "",
      until,
      reason,
      message: "said so",
      since: Date.now(),
      failures: 1,
      stated: true,
    });
  });

/** The peer's `test_auth_commands.py`, and what concerns commands in its later files. */
export const commandCases: readonly CommandCase[] = [
  {
    id: "H38",
    title: "a key is added under a label",
    peer: "the row has the label, auth_type api_key, source manual, and the token",
    async play(stage) {
      await addKeys(stage, "personal");
      return { rows: (await views(stage, "openrouter")).map(({ label, kind, source }) => [label, kind, source]) };
    },
    ours: { rows: [["personal", "api_key", "stored"]] },
  },
  {
    id: "H44",
    title: "a key is removed by its label",
    peer: "the other one is left",
    async play(stage) {
      await addKeys(stage, "work-account", "personal-account");
      await run(stage, "auth", "remove", "openrouter", "PERSONAL-account");
      return { left: (await views(stage, "openrouter")).map(({ label }) => label) };
    },
    ours: { left: ["work-account"] },
  },
  {
    id: "H45",
    title: "a label that is a number beats the number in the list",
    peer: 'of first, "2", third the target "2" removes the one called 2',
    async play(stage) {
      await addKeys(stage, "third", "2", "first");
      await run(stage, "auth", "remove", "openrouter", "2");
      return { left: (await views(stage, "openrouter")).map(({ label }) => label) };
    },
    ours: { left: ["third", "first"] },
  },
  {
    id: "H46",
    title: "reset ends the rests",
    peer: 'the output says "Reset status"; nothing of the failure is left on disk',
    async play(stage) {
      await addKeys(stage, "one");
      await rest(stage, "billing", Date.now() + 3_600_000);
      const { said } = await run(stage, "auth", "reset", "openrouter");
      return { said, left: await stage.withWorkspace(({ store }) => store.listCooldowns()) };
    },
    ours: { said: "Ended 1 rest and 0 pauses.\n", left: [] },
  },
  {
    id: "H48",
    title: "logout leaves the configuration alone (H49, H50)",
    peer: "the configuration is changed to auto and OpenRouter's address, also when nobody was signed in",
    async play(stage) {
      stage.writeConfig("routes: { main: [codex/gpt-5.5] } # mine\n");
      const { code, said } = await run(stage, "auth", "logout", "codex");
      return { code, said, config: readFileSync(join(stage.home, "config.yaml"), "utf8") };
    },
    ours: {
      code: 0,
      said: "Nobody is signed in to codex: nothing had to be done.\n",
      config: "routes: { main: [codex/gpt-5.5] } # mine\n",
    },
    differs: true,
  },
  {
    id: "H52",
    title: "the list says how long a rest lasts",
    peer: "exhausted (429), 59m 30s left",
    async play(stage) {
      await addKeys(stage, "one");
      await rest(stage, "rate_limit", Date.now() + 3_580_000);
      const { out } = await run(stage, "auth", "list", "openrouter");
      return { says: /too many requests just now, until (?:\d+ \w+ )?\d\d:\d\d \(in 59 min\)/.test(out) };
    },
    ours: { says: true },
  },
  {
    id: "H53",
    title: "the provider's own time of recovery counts",
    peer: "the reason, and 7d 0h left",
    async play(stage) {
      await addKeys(stage, "one");
      await rest(stage, "quota", Date.now() + 7 * 24 * 3_600_000 + 60_000);
      const { out } = await run(stage, "auth", "list", "openrouter");
      return { says: /the plan's limit is reached, until .* \(in 7 d\)/.test(out) };
    },
    ours: { says: true },
  },
  {
    id: "H54",
    title: "a key of the environment can't be removed (H65, H66)",
    peer: "the variable is taken out of .env and of the process, or a hint says that the shell still exports it",
    async play(stage) {
      const dotEnv = join(stage.home, ".env");
      writeFileSync(dotEnv, `OPENROUTER_API_KEY=${key}\nOTHER_KEY=x\n`);
      stage.setEnv({ OPENROUTER_API_KEY: key });
      const { code, said } = await run(stage, "auth", "remove", "openrouter", "1");
      return {
        code,
        says: /lives in the environment variable OPENROUTER_API_KEY.*unset OPENROUTER_API_KEY/.test(said),
        dotEnv: readFileSync(dotEnv, "utf8") === `OPENROUTER_API_KEY=${key}\nOTHER_KEY=x\n`,
      };
    },
    ours: { code: 2, says: true, dotEnv: true },
    differs: true,
  },
  {
    id: "H56",
    title: "removing a stored key touches no other file",
    peer: ".env is the same, byte for byte",
    async play(stage) {
      writeFileSync(join(stage.home, ".env"), "A=1\n");
      await addKeys(stage, "one");
      const { code } = await run(stage, "auth", "remove", "openrouter", "one");
      return { code, dotEnv: readFileSync(join(stage.home, ".env"), "utf8") };
    },
    ours: { code: 0, dotEnv: "A=1\n" },
  },
  {
    id: "H61",
    title: "removing a login removes that login (H62, H80)",
    peer: "removing one device-code row deletes the provider's login as well, also one of another account, and keeps it from coming back",
    async play(stage) {
      await stage.addCodexLogin("ann");
      await stage.addCodexLogin("ben");
      await run(stage, "auth", "remove", "codex", "ann");
      const left = (await views(stage, "codex")).map(({ label, state }) => [label, state]);
      await stage.addCodexLogin("eve");
      return {
        left,
        again: (await views(stage, "codex")).length,
        ended: stage.simulator.codexIssuer.liveRefreshTokens("ann"),
      };
    },
    ours: { left: [["ben", "ready"]], again: 2, ended: [] },
    differs: true,
  },
  {
    id: "H128",
    title: "looking calls nobody",
    peer: "the constructor resolves no provider",
    async play(stage) {
      await stage.addCodexLogin("ann");
      for (const args of [
        ["--help"],
        ["auth", "list"],
        ["routes"],
        ["auth", "status"],
        ["usage", "--cached"],
        ["doctor"],
      ])
        await run(stage, ...args);
      return { requests: stage.simulator.requests.length };
    },
    ours: { requests: 0 },
  },
  {
    id: "H129",
    title: "a failure is not remembered against the next turn",
    peer: "the second call resolves anew and succeeds",
    async play(stage) {
      const first = await run(stage, "ask", "--route", "codex/gpt-5.5", "hello");
      await stage.addCodexLogin("ann");
      return { codes: [first.code, (await run(stage, "ask", "--route", "codex/gpt-5.5", "hello")).code] };
    },
    ours: { codes: [3, 0] },
  },
  {
    id: "H160",
    title: "the list tells a dead login from a resting one, with the command",
    peer: "auth failed invalid_token (401), re-auth may be required, and no time left",
    async play(stage) {
      const { account } = await stage.addCodexLogin("ann");
      stage.simulator.codexIssuer.revokeLogins(account);
      await run(stage, "ask", "--route", "codex/gpt-5.5", "hello");
      const { out } = await run(stage, "auth", "list", "codex");
      return {
        says: /sign in again: .*, since \d\d:\d\d/.test(out),
        command: out.includes("run understudy auth add codex --force-new-login"),
        until: out.includes("until"),
      };
    },
    ours: { says: true, command: true, until: false },
  },
];
