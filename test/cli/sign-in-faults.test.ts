import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

/** What can go wrong between the command and the sign-in server, each as a process. Nothing may be stored of it. */

let stage: CliStage;
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await stage[Symbol.asyncDispose]();
});

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
  const { codexIssuer } = stage.simulator;
  codexIssuer.settings.pollInterval = "1";
  codexIssuer.settings.autoApprove = codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
}

const stored = () => stage.withWorkspace(({ store }) => store.listCredentials());

describe("a device login of Codex", () => {
  it("waits out a rate limit, at the start and while polling", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    codexIssuer.script("rate-limited", { at: "usercode", retryAfterS: 1 });
    codexIssuer.script("rate-limited", { at: "poll", retryAfterS: 1 });
    codexIssuer.script("server-error", { at: "poll" });
    codexIssuer.script("rate-limited", { at: "token", retryAfterS: 1 });
    const { code, stderr } = await stage.run(["auth", "add", "codex"]);
    expect(code, stderr).toBe(0);
    expect(codexIssuer.unplayed).toEqual([]);
    // At the start, while polling (the error behind it belongs to the same wait), and at the token endpoint.
    expect(
      stderr.match(/The sign-in server limits the tries \(429\); the next try is at .+ Ctrl-C gives up\.\n/g),
    ).toHaveLength(3);
    expect(await stored()).toMatchObject([{ label: "ann@example.test" }]);
  });

  it.each<[string, (issuer: CliStage["simulator"]["codexIssuer"]) => void, RegExp, string | null]>([
    [
      "too many tries",
      (issuer) => issuer.script("rate-limited", { at: "poll", retryAfterS: 3_600 }),
      /limits the tries beyond the life of this code; try again in 3\d{3} s/,
      null,
    ],
    [
      "not enabled",
      (issuer) => issuer.script("not-enabled", { at: "usercode" }),
      /device login is not enabled/,
      "auth add codex --browser",
    ],
    [
      "an answer that is a page",
      (issuer) => issuer.script("html-200", { at: "usercode" }),
      /holds no device code/,
      null,
    ],
    [
      "an answer that was lost with the tokens in it",
      (issuer) => issuer.script("answer-lost", { at: "token" }),
      /can't be reached/,
      null,
    ],
    ["tokens without an access token", (issuer) => issuer.script("no-access-token"), /gave no access token/, null],
  ])("ends with %s, and stores nothing", async (_, prepare, said, command) => {
    await open();
    prepare(stage.simulator.codexIssuer);
    const ended = await stage.run(["auth", "add", "codex"]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(said);
    if (command !== null) expect(ended.stderr).toContain(`Run understudy ${command}\n`);
    expect(await stored()).toEqual([]);
  });

  it("ends when the issuer is down, and when the code has expired", async () => {
    await open();
    await stage.simulator.codexIssuer.stop();
    const down = await stage.run(["auth", "add", "codex"]);
    expect(down).toMatchObject({ code: 1, stdout: "" });
    expect(down.stderr).toMatch(/OpenAI Codex: the sign-in server 127\.0\.0\.1:\d+ can't be reached \(ECONNREFUSED\)/);

    await stage.simulator.codexIssuer.start();
    stage.simulator.codexIssuer.settings.autoApprove = null;
    // A quarter of an hour passes as soon as the file is there.
    const later = join(stage.home, "later");
    const clock = `data:text/javascript,import {existsSync} from 'node:fs';const now=Date.now;Date.now=()=>now()+(existsSync('${later}')?901000:0)`;
    const waiting = stage.start(["auth", "add", "codex"], { nodeArgs: ["--import", clock] });
    await waiting.until(/Waiting; Ctrl-C/);
    writeFileSync(later, "");
    const expired = await waiting.ended;
    expect(existsSync(later)).toBe(true);
    expect(expired).toMatchObject({ code: 1, stdout: "" });
    expect(expired.stderr).toContain("OpenAI Codex: the sign-in was not confirmed in time");
    expect(expired.stderr).toContain("Run understudy auth add codex\n");
    expect(await stored()).toEqual([]);
  });

  it.each([600_000, -600_000])("with a clock that is off by %i ms signs in, and serves turns", async (off) => {
    await open();
    const clock = `data:text/javascript,const now=Date.now;Date.now=()=>now()+(${off})`;
    const nodeArgs = ["--import", clock];
    expect((await stage.run(["auth", "add", "codex"], { nodeArgs })).code).toBe(0);
    const asked = await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"], { nodeArgs });
    expect(asked).toMatchObject({ code: 0, stdout: "The simulator heard: hello\n", stderr: "" });
    // What it was told in a minute of its own must not look old or new enough to be spent for nothing.
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(0);
  });

  it("with the wrong account leaves the one that was meant as it is, and says so", async () => {
    await open();
    const { account, credential } = await stage.addCodexLogin("meant");
    stage.simulator.codexIssuer.revokeLogins(account);
    await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"]);
    const { code, stderr } = await stage.run(["auth", "add", "codex", "--force-new-login"]);
    expect(code).toBe(0);
    expect(stderr).toContain("Signed in: codex · ann@example.test");
    expect(stderr).toContain("codex · meant still has to sign in again: understudy auth add codex --force-new-login");
    const [meant, other] = await stored();
    expect(meant).toMatchObject({ id: credential.id, grant: { generation: 1 }, relogin: { generation: 1 } });
    expect(other).toMatchObject({ label: "ann@example.test" });
  });
});

type Reply = readonly [status: number, body: unknown, headers?: Record<string, string>];

/** A sign-in server by RFC 8414 and RFC 8628 whose token endpoint gives these answers, one after the other. */
async function scriptedIssuer(
  answers: readonly (Reply | ((origin: string) => Reply))[],
): Promise<{ origin: string; counters: { polls: number } }> {
  const counters = { polls: 0 };
  const left = [...answers];
  const server = createServer((request, response) => {
    request.resume().on("end", () => reply(request.url ?? "", response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const send = (response: ServerResponse, [status, body, headers = {}]: Reply): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
  function reply(path: string, response: ServerResponse): void {
    if (path === "/.well-known/oauth-authorization-server") {
      const metadata = {
        issuer: origin,
        token_endpoint: `${origin}/token`,
        device_authorization_endpoint: `${origin}/device`,
      };
      return send(response, [200, metadata]);
    }
    if (path === "/device") {
      const code = {
        device_code: "d".repeat(20),
        user_code: "ABCD-EFGH",
        verification_uri: `${origin}/enter`,
        interval: 1,
        expires_in: 600,
      };
      return send(response, [200, code]);
    }
    counters.polls += 1;
    const answer = left.shift() ?? [500, {}];
    send(response, typeof answer === "function" ? answer(origin) : answer);
  }
  return { origin, counters };
}

const tokens = {
  access_token: "opaque-access-0123456789",
  refresh_token: "opaque-refresh-0123456789",
  expires_in: 3_600,
};

async function signIn(answers: Parameters<typeof scriptedIssuer>[0], ...args: string[]) {
  const issuer = await scriptedIssuer(answers);
  stage.writeConfig(`
providers:
  acme: { protocol: messages, baseUrl: https://m.example, oauth: { issuer: "${issuer.origin}", clientId: me } }
`);
  return { ...issuer, ended: await stage.run(["auth", "add", "acme", "--force-new-login", ...args]) };
}

describe("a device login by the standard", () => {
  it("goes on when told to slow down", async () => {
    stage = await openCliStage();
    const { ended, counters } = await signIn([
      [400, { error: "slow_down" }],
      [400, { error: "authorization_pending" }],
      [200, tokens],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(counters.polls).toBe(3);
  });

  it.each<[string, Reply, RegExp]>([
    ["declined", [400, { error: "access_denied", error_description: "not me" }], /Acme|acme: .*not me/],
    ["expired", [400, { error: "expired_token" }], /acme: /],
    [
      "refused",
      [401, { error: "invalid_client" }],
      /acme: the sign-in server refused the device login \(status 401\): invalid_client/,
    ],
  ])("that is %s stores nothing", async (_, answer, said) => {
    stage = await openCliStage();
    const { ended } = await signIn([answer]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(said);
    expect(await stored()).toEqual([]);
  });

  it("at a server that does not say who signed in replaces the only login, or the one of that label", async () => {
    stage = await openCliStage();
    await signIn([[200, tokens]]);
    await signIn([[200, tokens]]);
    expect(await stored()).toMatchObject([{ label: "acme", grant: { generation: 2 }, account: { userId: null } }]);
    await signIn([[200, tokens]], "--label", "second");
    await signIn([[200, tokens]], "--label", "second");
    expect(await stored()).toMatchObject([
      { label: "acme", grant: { generation: 2 } },
      { label: "second", grant: { generation: 2 } },
    ]);
  });

  it("does not take an id token that was made elsewhere or for somebody else", async () => {
    stage = await openCliStage();
    const idToken = (claims: object): string =>
      ["{}", JSON.stringify(claims), "x"].map((part) => Buffer.from(part).toString("base64url")).join(".");
    const withClaims =
      (claims: (origin: string) => object) =>
      (origin: string): Reply => [200, { ...tokens, id_token: idToken(claims(origin)) }];
    const other = await signIn([withClaims(() => ({ iss: "https://other.example", aud: "me", sub: "u" }))]);
    expect(other.ended.code).toBe(1);
    expect(other.ended.stderr).toContain("id token names another issuer");
    const client = await signIn([withClaims((iss) => ({ iss, aud: ["you"], sub: "u" }))]);
    expect(client.ended.code).toBe(1);
    expect(client.ended.stderr).toContain("id token was made for another client");
    expect(await stored()).toEqual([]);
  });
});
