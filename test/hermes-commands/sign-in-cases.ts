import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needsRelogin } from "../../src/credentials/credential.ts";
import type { CliStage } from "../cli/rig.ts";
import { type CommandCase, run } from "./case.ts";

const logins = (stage: CliStage) =>
  stage.withWorkspace(async ({ store }) =>
    (await store.listCredentials("codex")).flatMap((one) => (one.kind === "oauth" ? [one] : [])),
  );

/** A person who approves at once, as this account. */
function approving(stage: CliStage, name: string): void {
  const { codexIssuer } = stage.simulator;
  codexIssuer.settings.pollInterval = "1";
  const known = codexIssuer.accounts.find((one) => one.name === name);
  codexIssuer.settings.autoApprove = known ?? codexIssuer.addAccount({ email: `${name}@example.test`, name });
}

function writeCodexCli(stage: CliStage, tokens: Record<string, unknown>): string {
  const file = join(stage.home, ".codex", "auth.json");
  mkdirSync(join(stage.home, ".codex"), { recursive: true });
  writeFileSync(file, JSON.stringify({ tokens }));
  return file;
}

const askCodex = (stage: CliStage) => run(stage, "ask", "--route", "codex/gpt-5.5", "hello");

/** The peer's `test_auth_codex_provider.py`, the sign-in of its later files, and the reference client's device code (C11). */
export const signInCases: readonly CommandCase[] = [
  {
    id: "H1",
    title: "what was signed in is read back",
    peer: "both tokens are read from the store",
    async play(stage) {
      approving(stage, "ann");
      await run(stage, "auth", "add", "codex");
      const [login] = await logins(stage);
      const tokens = [login?.grant.accessToken, login?.grant.refreshToken].map(
        (one) => (one?.reveal().length ?? 0) > 10,
      );
      return { tokens, works: (await askCodex(stage)).code };
    },
    ours: { tokens: [true, true], works: 0 },
  },
  {
    id: "H2",
    title: "nobody is signed in",
    peer: "an AuthError with code codex_auth_missing",
    play: (stage) =>
      askCodex(stage).then(({ code, said }) => ({ code, named: said.includes("understudy auth add codex") })),
    ours: { code: 3, named: true },
  },
  {
    id: "H4",
    title: "an access token that is over is refreshed before the call",
    peer: "one refresh; the new token is used",
    async play(stage) {
      stage.simulator.codexIssuer.settings.accessTokenExpiresInS = -10;
      await stage.addCodexLogin("ann");
      stage.simulator.codexIssuer.settings.accessTokenExpiresInS = 3_600;
      const { code } = await askCodex(stage);
      return {
        code,
        refreshes: stage.simulator.codexIssuer.counters.refreshes,
        calls: stage.simulator.codex.callsOf("ann"),
      };
    },
    ours: { code: 0, refreshes: 1, calls: 1 },
  },
  {
    id: "H5",
    title: "a refresh by force",
    peer: "one refresh though the token is good",
    async play(stage) {
      await stage.addCodexLogin("ann");
      const { code } = await run(stage, "auth", "refresh", "codex");
      return { code, refreshes: stage.simulator.codexIssuer.counters.refreshes };
    },
    ours: { code: 0, refreshes: 1 },
  },
  {
    id: "H6",
    title: "who asks for codex gets codex",
    peer: "the provider is openai-codex, with no other key in sight",
    async play(stage) {
      stage.setEnv({ ANTHROPIC_API_KEY: stage.simulator.messages.keys.add("a") });
      const { code } = await run(stage, "ask", "--route", "openai-codex/gpt-5.5", "hello");
      return { code, others: stage.simulator.messages.requests.length };
    },
    ours: { code: 3, others: 0 },
  },
  {
    id: "H8",
    title: "the Codex CLI's opaque tokens are imported",
    peer: "both tokens come over; an opaque one does not count as expired",
    async play(stage) {
      writeCodexCli(stage, { access_token: "cli-access-token", refresh_token: "cli-refresh-token" });
      const { code, out } = await run(stage, "auth", "import", "codex", "--share-login");
      return { code, reason: /do not say whose login it is/.test(out), stored: (await logins(stage)).length };
    },
    ours: { code: 1, reason: true, stored: 0 },
    differs: true,
  },
  {
    id: "H9",
    title: "there is no Codex CLI",
    peer: "nothing is imported",
    play: (stage) =>
      run(stage, "auth", "import", "codex").then(({ code, said }) => ({
        code,
        said: /there is nothing of the Codex CLI/.test(said),
      })),
    ours: { code: 2, said: true },
  },
  {
    id: "H10",
    title: "a login is not written to the Codex CLI's file",
    peer: "the file is still absent; the own store has the login",
    async play(stage) {
      approving(stage, "ann");
      await run(stage, "auth", "add", "codex");
      return { file: existsSync(join(stage.home, ".codex")), stored: (await logins(stage)).length };
    },
    ours: { file: false, stored: 1 },
  },
  {
    id: "H12",
    title: "the refresh token was used by somebody else",
    peer: "code refresh_token_reused, a new login is required, the text says another client used it",
    async play(stage) {
      const { account } = await stage.addCodexLogin("ann");
      stage.simulator.codexIssuer.consumeRefreshToken(account);
      const { code, said } = await run(stage, "auth", "refresh", "codex");
      const [login] = await logins(stage);
      return {
        code,
        mark: login?.relogin?.code,
        says: /already used by another client/.test(said),
        commands: said.match(/understudy [a-z]+ [a-z]+[^\n]*/g),
      };
    },
    ours: {
      code: 3,
      mark: "refresh_token_reused",
      says: true,
      commands: ["understudy auth add codex --force-new-login"],
    },
  },
  {
    id: "H16",
    title: "--force-new-login asks nothing",
    peer: "no question, though a login works and the CLI's could be imported; the new login is saved once",
    async play(stage) {
      const { credential } = await stage.addCodexLogin("ann");
      writeCodexCli(stage, { access_token: "x", refresh_token: "y" });
      approving(stage, "ann");
      const { code } = await run(stage, "auth", "add", "codex", "--force-new-login");
      const after = await logins(stage);
      return { code, same: after.map(({ id }) => id === credential.id), generation: after[0]?.grant.generation };
    },
    ours: { code: 0, same: [true], generation: 2 },
  },
  {
    id: "H42",
    title: "a login is called by its account's e-mail address",
    peer: "the row's label is the e-mail address of the token",
    async play(stage) {
      approving(stage, "codex");
      await run(stage, "auth", "add", "codex");
      return { labels: (await logins(stage)).map(({ label }) => label) };
    },
    ours: { labels: ["codex@example.test"] },
  },
  {
    id: "H140",
    title: "a new login mends the row of its account, and no other",
    peer: "that row has new tokens and no marks of failure; rows of other accounts keep theirs, marks included (H141, H142, H145)",
    async play(stage) {
      const a = await stage.addCodexLogin("a");
      const b = await stage.addCodexLogin("b");
      stage.simulator.codexIssuer.revokeLogins(a.account);
      stage.simulator.codex.script("quota-exhausted", { for: "b" });
      await run(stage, "ask", "--route", "codex/gpt-5.5", "hello");
      approving(stage, "a");
      await run(stage, "auth", "add", "codex", "--force-new-login");
      const [first, second] = await logins(stage);
      const rests = await stage.withWorkspace(({ store }) => store.listCooldowns("codex"));
      return {
        a: [first?.id === a.credential.id, first?.grant.generation, first === undefined || needsRelogin(first)],
        b: [
          second?.grant.accessToken.equals(b.credential.grant.accessToken),
          rests.map(({ credentialId }) => credentialId === second?.id),
        ],
      };
    },
    ours: { a: [true, 2, false], b: [true, [true]] },
  },
  {
    id: "H148",
    title: "the device login is rate limited",
    peer: "429 is waited out up to four tries, then codex_rate_limited with the seconds; a 500 is not tried again",
    async play(stage) {
      const { codexIssuer } = stage.simulator;
      approving(stage, "ann");
      codexIssuer.script("rate-limited", { at: "usercode", retryAfterS: 1 });
      const waited = await run(stage, "auth", "add", "codex");
      codexIssuer.script("rate-limited", { at: "usercode", retryAfterS: 1, times: 4 });
      const limited = await run(stage, "auth", "add", "codex", "--force-new-login");
      const before = codexIssuer.requests.length;
      codexIssuer.script("server-error", { at: "usercode" });
      const failed = await run(stage, "auth", "add", "codex", "--force-new-login");
      return {
        codes: [waited.code, limited.code, failed.code],
        says: [/limits the tries.*try again in 1 s/.test(limited.said), /status 500/.test(failed.said)],
        tries: codexIssuer.requests.length - before,
      };
    },
    ours: { codes: [0, 1, 1], says: [true, true], tries: 1 },
  },
  {
    id: "H150",
    title: "a refused refresh does not take the Codex CLI's tokens",
    peer: "the CLI's pair is adopted and saved when the own one is refused (H152 to H156: unless it is absent or half)",
    async play(stage) {
      const { account } = await stage.addCodexLogin("ann");
      const { codexIssuer } = stage.simulator;
      const cli = codexIssuer.issueTokens(account);
      const file = writeCodexCli(stage, {
        access_token: cli.accessToken,
        refresh_token: cli.refreshToken,
        id_token: cli.idToken,
      });
      const before = readFileSync(file, "utf8");
      codexIssuer.script("invalid-grant");
      const { code } = await run(stage, "auth", "refresh", "codex");
      const [login] = await logins(stage);
      return { code, generation: login?.grant.generation, untouched: readFileSync(file, "utf8") === before };
    },
    ours: { code: 3, generation: 1, untouched: true },
    differs: true,
  },
  {
    id: "H158",
    title: "two accounts are two logins",
    peer: "two rows in order, each with its own tokens",
    async play(stage) {
      for (const name of ["ann", "ben"]) {
        approving(stage, name);
        await run(stage, "auth", "add", "codex", "--force-new-login");
      }
      const both = await logins(stage);
      return {
        labels: both.map(({ label }) => label),
        tokens: new Set(both.map(({ grant }) => grant.accessToken.reveal())).size,
      };
    },
    ours: { labels: ["ann@example.test", "ben@example.test"], tokens: 2 },
  },
  {
    id: "C11",
    title: "the answers to a device login",
    peer: "503 at the start and 401 at the poll are errors; 404, then 200 is a login",
    async play(stage) {
      const { codexIssuer } = stage.simulator;
      codexIssuer.script("unavailable", { at: "usercode" });
      const start = await run(stage, "auth", "add", "codex");
      approving(stage, "ann");
      codexIssuer.settings.pendingStatus = 404;
      codexIssuer.settings.approveAfterPolls = 1;
      const good = await run(stage, "auth", "add", "codex");
      codexIssuer.settings.autoApprove = null;
      const declined = stage.start(["auth", "add", "codex", "--force-new-login"]);
      await codexIssuer.until(() => codexIssuer.pendingUserCodes.length > 0);
      for (const code of codexIssuer.pendingUserCodes) codexIssuer.declineDevice(code);
      return { codes: [start.code, good.code, (await declined.ended).code], stored: (await logins(stage)).length };
    },
    ours: { codes: [1, 0, 1], stored: 1 },
  },
];
