import { spawnSync } from "node:child_process";
import type { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { healsByItself } from "../../src/core/cooldown.ts";
import { type Failure, type Reason, reasons } from "../../src/core/failure.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Credential, KeySource } from "../../src/credentials/credential.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { describeBlocked, describeCandidate, describeFailure, repairCommand } from "../../src/turn/advice.ts";
import type { BlockedCandidate } from "../../src/turn/candidates.ts";
import { type CliStage, openCliStage } from "./rig.ts";

/**
 * Rule R12: what a person reads on a failure names the credential, the cause in plain words, since when, and one command that exists
 * and is right for it. Every reason with every kind of credential.
 */

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

const now = new Date(2026, 6, 1, 12, 0).getTime();
const label = "Ann's key";

const base = { id: "c1", label, priority: 0, paused: false, createdAt: 0, uses: 0, lastUsedAt: 0 };

const login = (provider: string): Credential => ({
  ...base,
  kind: "oauth",
  provider,
  account: { id: "a", userId: "u", email: null, plan: null },
  grant: {
    generation: 1,
    accessToken: new Secret("x"),
    refreshToken: new Secret("y"),
    idToken: null,
    expiresAt: now,
    obtainedAt: 0,
    issuer: "https://auth.example",
  },
  relogin: null,
  unknownOutcome: null,
});

const key = (provider: string, source: KeySource): Credential => ({
  ...base,
  kind: "api_key",
  provider,
  source,
  persisted: true,
});

const kinds: readonly [name: string, credential: Credential][] = [
  ["a ChatGPT login", login("codex")],
  ["a login of the configuration", login("acme")],
  ["a stored key", key("openai", { from: "stored", secret: new Secret("sk-0123456789") })],
  ["a key in a variable", key("anthropic", { from: "env", name: "ANTHROPIC_API_KEY" })],
  ["a key in a file", key("deepseek", { from: "file", path: "/run/key" })],
  ["a key from a command", key("xai", { from: "command", command: "pass show xai" })],
  ["no key", key("ollama", { from: "none" })],
];

/** What is right for each reason: what only a person mends has a command, what heals by itself says until when. */
const expected: Readonly<Record<Reason, (credential: Credential) => string | null>> = {
  relogin_required: signIn,
  auth: signIn,
  entitlement: ({ provider }) => `understudy models ${provider}`,
  model_not_found: ({ provider }) => `understudy models ${provider}`,
  billing: ({ provider }) => `understudy auth reset ${provider} 'Ann'\\''s key'`,
  quota: nothing,
  rate_limit: nothing,
  overloaded: nothing,
  server_error: nothing,
  timeout: nothing,
  network: nothing,
  blocked: nothing,
  context_overflow: nothing,
  payload_too_large: nothing,
  content_policy: nothing,
  invalid_request: nothing,
  invalid_encrypted_content: nothing,
  incomplete: nothing,
  cancelled: nothing,
  unknown: nothing,
};

function signIn({ kind, provider }: Credential): string {
  return `understudy auth add ${provider}${kind === "oauth" ? " --force-new-login" : ""}`;
}

function nothing(): null {
  return null;
}

function failure(reason: Reason): Failure {
  const reloginRequired = reason === "relogin_required";
  return { reason, scope: "credential", next: "next_credential", reloginRequired, message: "said so", row: "test" };
}

function blockedBy(reason: Reason, credential: Credential): BlockedCandidate {
  return {
    target: { provider: credential.provider, model: "m1" },
    why: "blocked",
    blocked: {
      credential,
      why: "cooling",
      cooldown: {
        provider: credential.provider,
        credentialId: credential.id,
        model: "",
        until: now + 3_600_000,
        since: now - 300_000,
        reason,
        message: "said so",
        failures: 1,
        stated: true,
      },
    },
  };
}

function providerOf(credential: Credential): Provider | null {
  return findProvider(builtInProviders, credential.provider);
}

const rows = reasons.flatMap((reason) => kinds.map(([name, credential]) => ({ reason, name, credential })));
const named = new Set<string>();

describe("what a person reads", () => {
  it.each(rows)("on $reason with $name", ({ reason, credential }) => {
    const wanted = expected[reason](credential);
    const candidate = blockedBy(reason, credential);
    expect(describeCandidate(candidate)).toBe(`${credential.provider}/m1 · ${label}`);
    const { cause, command } = describeBlocked(candidate, providerOf(credential), now);
    expect(cause).toMatch(/^[a-z][a-z' ,]{5,}/);
    expect(cause).toContain("since 11:55 (5 min ago)");
    expect(cause.includes("_"), "no word of ours that is not a person's").toBe(false);
    expect(command).toBe(wanted);
    // Either somebody can do something, or it says until when it lasts.
    expect(command !== null || cause.includes("until 13:00 (in 1 h)")).toBe(true);
    if (command === null) expect(healsByItself(reason)).toBe(true);

    expect(repairCommand(failure(reason), credential.provider, credential)).toBe(wanted);
    expect(describeFailure(failure(reason), now)).toMatch(/^[a-z][a-z' ,]{5,}.*\(said so\)$/);
    if (command !== null) named.add(command);
  });

  it("names a command for who is paused, who must sign in, and who is missing", () => {
    for (const [, credential] of kinds) {
      const at = { target: { provider: credential.provider, model: "m1" } };
      const paused = describeBlocked(
        { ...at, why: "blocked", blocked: { credential, why: "paused" } },
        providerOf(credential),
        now,
      );
      expect(paused.command).toBe(`understudy auth resume ${credential.provider} 'Ann'\\''s key'`);
      const mark = { credential, why: "relogin_required", message: "revoked", since: now - 300_000 } as const;
      const dead = describeBlocked({ ...at, why: "blocked", blocked: mark }, providerOf(credential), now);
      expect(dead).toEqual({ cause: "sign in again: revoked, since 11:55 (5 min ago)", command: signIn(credential) });
      const gone = describeBlocked({ ...at, why: "no_credential" }, providerOf(credential), now);
      expect(gone.command).toBe(`understudy auth add ${credential.provider}`);
      const unknown = describeBlocked({ ...at, why: "no_provider" }, null, now);
      for (const { command } of [paused, dead, gone, unknown]) named.add(command ?? "");
    }
  });

  it("never names a command that does not exist, or one that it would refuse", async () => {
    expect(named.size).toBeGreaterThan(20);
    const paths = new Set<string>();
    for (const command of named) paths.add(await checkCommand(split(command)));
    expect([...paths].toSorted((a, b) => a.localeCompare(b))).toEqual([
      "auth add",
      "auth reset",
      "auth resume",
      "config check",
      "models",
    ]);
    for (const path of paths) {
      const { code, stdout } = await stage.run([...path.split(" "), "--help"]);
      expect({ path, code }).toEqual({ path, code: 0 });
      expect(stdout).toContain(`Usage: understudy ${path}`);
    }
  });
});

/** As a shell splits it. */
function split(command: string): string[] {
  const { stdout } = spawnSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" });
  return stdout.trimEnd().split("\n");
}

/** The path of the command that the words lead to. Fails for an option that it does not have, and for too many or too few arguments. */
async function checkCommand([program, ...words]: readonly string[]): Promise<string> {
  expect(program).toBe("understudy");
  let command: Command = await createProgram(words);
  const path: string[] = [];
  const operands: string[] = [];
  for (const word of words) {
    const child = operands.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (child !== undefined) {
      command = child;
      path.push(word);
    } else if (word.startsWith("--")) {
      expect(
        command.options.map(({ long }) => long),
        words.join(" "),
      ).toContain(word);
    } else operands.push(word);
  }
  const { registeredArguments } = command;
  expect(operands.length, words.join(" ")).toBeGreaterThanOrEqual(
    registeredArguments.filter((one) => one.required).length,
  );
  expect(operands.length, words.join(" ")).toBeLessThanOrEqual(registeredArguments.length);
  return path.join(" ");
}
