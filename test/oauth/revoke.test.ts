import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { revokeToken } from "../../src/oauth/revoke.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { CountingTransport, until } from "./rig.ts";
import { type Reply, ScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
const transport = new CountingTransport();
let clock: VirtualClock;

beforeEach(async () => {
  server = await ScriptedServer.start();
  clock = new VirtualClock();
});

afterEach(() => server.close());
afterAll(() => transport.close());

const revoke = (reply: Reply): Promise<boolean> =>
  revokeToken({
    transport,
    clock,
    endpoint: server.plan("/oauth/revoke", reply),
    token: new Secret("refresh-1"),
    hint: "refresh_token",
    clientId: "app_1",
  });

describe("revokeToken", () => {
  it("sends what OpenAI's own client sends", async () => {
    expect(await revoke({ status: 200 })).toBe(true);
    expect(server.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(server.requests[0]?.fields).toEqual({
      token: "refresh-1",
      token_type_hint: "refresh_token",
      client_id: "app_1",
    });
  });

  it("leaves out the client id of an access token, and speaks form where asked", async () => {
    const endpoint = server.plan("/revoke", { status: 204 });
    const token = new Secret("access-1");
    expect(
      await revokeToken({ transport, clock, endpoint, token, hint: "access_token", clientId: null, encoding: "form" }),
    ).toBe(true);
    expect(server.requests[0]?.body).toBe("token=access-1&token_type_hint=access_token");
  });

  it.each<Reply>([
    { status: 500 },
    { status: 400, json: { error: "invalid_client" } },
    { status: 302 },
    { fault: "drop" },
  ])("is false and does not throw after %j", async (reply) => {
    expect(await revoke(reply)).toBe(false);
  });

  it("gives up after 10 s", async () => {
    const result = revoke({ fault: "hang" });
    await until(() => server.requests.length === 1);
    await clock.advance(10_000);
    expect(await result).toBe(false);
  });
});
