import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../../src/core/secret.ts";
import {
  codexCallbackPorts,
  finishBrowserLogin,
  readCodexCallback,
  startBrowserLogin,
} from "../../../src/oauth/codex/browser.ts";
import { codexClientId, codexEndpoints } from "../../../src/oauth/codex/endpoints.ts";
import { VirtualClock } from "../../virtual-clock.ts";
import { CountingTransport, carry } from "../rig.ts";
import { ScriptedServer } from "../scripted-server.ts";

let server: ScriptedServer;
const transport = new CountingTransport();
const clock = new VirtualClock();

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.close());
afterAll(() => transport.close());

const start = () => startBrowserLogin({ issuer: server.origin, clientId: "app_1", port: 1457 });

describe("a Codex sign-in in the browser", () => {
  it("opens the page with everything that OpenAI's own client says", async () => {
    const login = await start();
    const url = new URL(login.url);
    expect(url.origin + url.pathname).toBe(`${server.origin}/oauth/authorize`);
    const { code_challenge: challenge, ...query } = Object.fromEntries(url.searchParams);
    expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(query).toEqual({
      response_type: "code",
      client_id: "app_1",
      redirect_uri: "http://127.0.0.1:1457/auth/callback",
      scope: "openid profile email offline_access api.connectors.read api.connectors.invoke",
      state: login.state,
      code_challenge_method: "S256",
      id_token_add_organizations: "true",
      codex_cli_simplified_flow: "true",
      originator: "understudy",
    });
    expect(login.url).not.toContain(login.verifier.reveal());
  });

  it("fetches the tokens with its own verifier and redirect address", async () => {
    const login = await start();
    server.plan("/oauth/token", { json: { access_token: "a", refresh_token: "r", id_token: "i" } });
    const callback = readCodexCallback(new URLSearchParams({ code: "code-1", state: login.state }), login);
    if (!callback.ok) throw new Error(callback.failure.message);
    const options = { transport, clock, issuer: server.origin, clientId: "app_1" };
    const result = await carry(finishBrowserLogin(options, login, callback.value), clock, transport);
    expect(result.ok && result.value.refreshToken?.reveal()).toBe("r");
    expect(server.requests[0]?.fields).toEqual({
      grant_type: "authorization_code",
      client_id: "app_1",
      code: "code-1",
      redirect_uri: "http://127.0.0.1:1457/auth/callback",
      code_verifier: login.verifier.reveal(),
    });
  });

  it("tells an account without Codex from a person who said no", async () => {
    const login = await start();
    const callback = (description: string) =>
      readCodexCallback(
        new URLSearchParams({ error: "access_denied", error_description: description, state: login.state }),
        login,
      );
    expect(callback("missing_codex_entitlement: ask your admin")).toMatchObject({ failure: { code: "not_entitled" } });
    expect(callback("no")).toMatchObject({ failure: { code: "declined" } });
    const forged = new URLSearchParams("error=access_denied&error_description=missing_codex_entitlement&state=x");
    expect(readCodexCallback(forged, login)).toMatchObject({ failure: { code: "state_mismatch" } });
  });

  it("does not send a code twice when the connection breaks", async () => {
    server.plan("/oauth/token", { fault: "drop" });
    const options = { transport, clock, issuer: server.origin, clientId: "app_1" };
    const result = await carry(finishBrowserLogin(options, await start(), new Secret("c")), clock, transport);
    expect(result).toMatchObject({ ok: false, failure: { code: "unreachable" } });
    expect(server.requests).toHaveLength(1);
  });
});

describe("the addresses", () => {
  it("are OpenAI's unless told otherwise, whatever slash the issuer ends in", () => {
    expect(codexEndpoints().token).toBe("https://auth.openai.com/oauth/token");
    expect(codexEndpoints("http://127.0.0.1:9/").deviceStart).toBe(
      "http://127.0.0.1:9/api/accounts/deviceauth/usercode",
    );
    expect(codexClientId).toBe("app_EMoamEEZ73f0CkXaXp7hrann");
    expect(codexCallbackPorts).toEqual([1455, 1457]);
  });
});
