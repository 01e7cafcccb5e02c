import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { BrowsingPerson } from "../oauth/browsing-person.ts";
import { type OidcIssuer, oidcClientId, startOidcIssuer } from "../rig/oidc-issuer.ts";
import { type CliStage, openCliStage, type Running } from "./rig.ts";

/** A provider of the configuration with a login of its own, against a sign-in server that we did not write. */

let stage: CliStage;
let issuer: OidcIssuer;
afterEach(async () => {
  await stage[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** Provider `acme`: its model backend takes exactly the access tokens that the sign-in server gives out. */
async function open(oauth = "", options: { accessTokenS?: number; deviceCodeS?: number } = {}): Promise<void> {
  stage = await openCliStage();
  const { keys } = stage.simulator.chat;
  let issued = 0;
  issuer = await startOidcIssuer({
    ...options,
    onAccessToken: (token) => keys.add(`access token ${++issued}`, token),
  });
  stage.writeConfig(`
routes: { acme: [acme/m1] }
limits: { maxWaitMs: 0 }
providers:
  acme:
    name: Acme
    protocol: chat-completions
    baseUrl: ${stage.simulator.baseUrls.chat}
    oauth: { issuer: "${issuer.origin}", clientId: ${oidcClientId}${oauth} }
`);
}

const stored = () =>
  stage.withWorkspace(async ({ store }) => {
    const logins = await store.listCredentials("acme");
    return logins.flatMap((one) => (one.kind === "oauth" ? [one] : []));
  });

async function signInByCode(...args: string[]): Promise<string> {
  const running = stage.start(["auth", "add", "acme", ...args]);
  running.child.stdin.end();
  await confirm(running);
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 0, stdout: "" });
  for (const token of issuer.accessTokens) expect(ended.stderr).not.toContain(token);
  return ended.stderr;
}

/** The same in the browser: no polling, so no waiting. Gives where the browser was sent back to. */
async function signInByBrowser(...args: string[]): Promise<string> {
  const running = stage.start(["auth", "add", "acme", "--browser", ...args]);
  await running.until(/\/auth\?\S+\s/);
  const address = /http\S+\/auth\?\S+/.exec(running.stderr)?.[0] ?? "";
  const { callback } = await new BrowsingPerson().visit(address);
  const page = await fetch((callback ?? "").replace("localhost", "127.0.0.1"));
  expect(page.status).toBe(200);
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 0, stdout: "" });
  expect(ended.stderr).toMatch(/Signed in(?: again)?: acme · ada\./);
  return callback ?? "";
}

async function confirm(running: Running, options: { declines?: boolean } = {}): Promise<void> {
  await running.until(/Waiting; Ctrl-C/);
  const page = /\n {4}(http\S+\/device)\n/.exec(running.stderr)?.[1] ?? "";
  const userCode = /\n {4}([A-Z]{4}-[A-Z]{4})\n/.exec(running.stderr)?.[1] ?? "";
  await new BrowsingPerson({ userCode, ...options }).visit(page);
}

describe("a login of the configuration", () => {
  it("is made by device code, serves turns, and is renewed in place when its account signs in again", async () => {
    await open();
    const said = await signInByCode();
    expect(said).toContain("To sign in to Acme, open this page");
    expect(said).toContain("Signed in: acme · ada.");
    const [login] = await stored();
    expect(login).toMatchObject({
      account: { id: issuer.origin, userId: "ada" },
      grant: { generation: 1, issuer: issuer.origin },
    });
    expect(await stage.run(["ask", "hello"])).toMatchObject({ code: 0 });

    expect(await signInByCode("--force-new-login")).toContain("Signed in again: acme · ada.");
    const again = await stored();
    expect(again.map(({ id, label, grant }) => [id, label, grant.generation])).toEqual([[login?.id, "ada", 2]]);

    // Removing it ends it at the server: its refresh token is worth nothing any more.
    const token = again[0]?.grant.refreshToken?.reveal() ?? "";
    const removed = await stage.run(["auth", "remove", "acme", "ada"]);
    expect(removed.stderr).toContain("The provider has ended the login.");
    expect((await spend(token)).status).toBe(400);
  });

  it("is refreshed by the keeper, each time with the token of the time before", async () => {
    await open("", { accessTokenS: 20 });
    await signInByBrowser();
    for (const generation of [2, 3]) {
      // 20 s is inside of the last half minute: every turn refreshes first.
      const asked = await stage.run(["ask", "hello"]);
      expect(asked.code, asked.stderr).toBe(0);
      expect(await stored()).toMatchObject([{ grant: { generation }, relogin: null }]);
    }
    expect(issuer.errors).toEqual([]);
    expect(new Set(issuer.accessTokens).size).toBe(3);
  });

  it("is refreshed once when six programs need it at once: the server would end it at the second time", async () => {
    await open("", { accessTokenS: 20 });
    await signInByBrowser();
    issuer.accessTokenS = 3_600;
    const asked = await Promise.all(Array.from({ length: 6 }, () => stage.run(["ask", "hello"])));
    expect(asked.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(issuer.errors).toEqual([]);
    expect(issuer.accessTokens).toHaveLength(2);
    expect(await stored()).toMatchObject([{ grant: { generation: 2 }, relogin: null }]);
  });

  it("ends when somebody else has spent its refresh token: named with the command, and never sent again", async () => {
    await open("", { accessTokenS: 20 });
    await signInByBrowser();
    const [login] = await stored();
    const other = await spend(login?.grant.refreshToken?.reveal() ?? "");
    expect(other.status).toBe(200);

    // The access token still has some seconds: they are used, and the person is told.
    const asked = await stage.run(["ask", "hello"]);
    expect(asked.code).toBe(0);
    expect(asked.stderr).toContain("understudy auth add acme --force-new-login");
    expect(issuer.errors).toEqual(["refresh token already used"]);
    expect((await stage.run(["ask", "hello"])).code).toBe(3);
    expect(issuer.errors).toHaveLength(1);

    await signInByBrowser("--force-new-login");
    expect(await stage.run(["ask", "hello"])).toMatchObject({ code: 0 });
    expect((await stored())[0]).toMatchObject({ id: login?.id, relogin: null });
  });

  it("is made with the browser when the configuration says so, on any port or the one that is given", async () => {
    await open(", flow: browser");
    const running = stage.start(["auth", "add", "acme"]);
    await running.until(/\/auth\?\S+\s/);
    expect(new URL(/redirect_uri=([^&\s]+)/.exec(decodeURIComponent(running.stderr))?.[1] ?? "")).toMatchObject({
      hostname: "127.0.0.1",
      pathname: "/callback",
    });
    running.child.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    await signInByBrowser();
    expect((await stored())[0]?.grant.refreshToken).not.toBeNull();

    stage.writeConfig(
      readFileSync(join(stage.home, "config.yaml"), "utf8").replace(
        "flow: browser",
        "flow: device, redirectUri: http://localhost:43217/signed/in",
      ),
    );
    expect(await signInByBrowser("--force-new-login")).toContain("http://localhost:43217/signed/in?");
  });

  it("stores nothing when the person says no, the code expires, or the server is not there", async () => {
    await open("", { deviceCodeS: 2 });
    const declined = stage.start(["auth", "add", "acme"]);
    declined.child.stdin.end();
    await confirm(declined, { declines: true });
    const no = await declined.ended;
    expect(no).toMatchObject({ code: 1, stdout: "" });
    expect(no.stderr).toContain("Acme: ");
    expect(no.stderr).toContain("Run understudy auth add acme");

    const expired = await stage.run(["auth", "add", "acme"]);
    expect(expired.code).toBe(1);
    expect(expired.stderr).toMatch(/Acme: the sign-in was not confirmed in time/);

    stage.writeConfig(`
providers:
  acme: { protocol: messages, baseUrl: https://m.example, oauth: { issuer: "http://127.0.0.1:9", clientId: x } }
`);
    const gone = await stage.run(["auth", "add", "acme"]);
    expect(gone).toMatchObject({ code: 1, stdout: "" });
    expect(gone.stderr).toContain("the sign-in server 127.0.0.1:9 can't be reached (ECONNREFUSED)");
    expect(await stored()).toEqual([]);
  });
});

/** Another client that spends a refresh token. */
function spend(refreshToken: string): Promise<Response> {
  return fetch(`${issuer.origin}/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", client_id: oidcClientId, refresh_token: refreshToken }),
  });
}
