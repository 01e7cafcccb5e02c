import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";

const acme = (oauth: string, more = ""): string =>
  `providers:\n  acme: { protocol: messages, baseUrl: https://m.example, ${more}oauth: ${oauth} }\n`;

function signInOf(text: string) {
  const parsed = parseConfig(text, "config.yaml");
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return findProvider(resolveConfig(parsed.config, builtInProviders, {}).providers, "acme")?.signIn;
}

describe("a login in the configuration", () => {
  it("has defaults: device code, openid and offline_access, any free port, no other origin", () => {
    expect(signInOf(acme("{ issuer: https://login.example, clientId: me }"))).toEqual({
      kind: "oauth",
      issuer: "https://login.example",
      clientId: "me",
      scope: "openid offline_access",
      flow: "device",
      redirectUri: null,
      trustedOrigins: [],
    });
  });

  it.each([
    ["a list", "[openid, models.read]"],
    ["one text", '" openid  models.read "'],
  ])("takes scopes as %s", (_, scopes) => {
    expect(signInOf(acme(`{ issuer: https://l.example, clientId: me, scopes: ${scopes} }`))).toMatchObject({
      scope: "openid models.read",
    });
  });

  it.each<[string, string]>([
    [acme("{ clientId: me }"), "acme.oauth.issuer: missing; expected the https URL of a sign-in server"],
    [
      acme("{ issuer: http://login.example, clientId: me }", "allowInsecure: true, "),
      'acme.oauth.issuer: "http://login.example"; expected an https URL, or http on this machine',
    ],
    [
      acme("{ issuer: https://l.example, clientId: me, trustedOrigins: [http://api.l.example] }"),
      'acme.oauth.trustedOrigins[0]: "http://api.l.example"; expected an https URL',
    ],
    [
      acme("{ issuer: https://l.example, clientId: me, redirectUri: https://me.example/callback }"),
      'acme.oauth.redirectUri: "https://me.example/callback"; expected an address on this machine',
    ],
    [
      acme("{ issuer: https://l.example, clientId: me, clientID: me }"),
      'acme.oauth.clientID: can\'t be a key here; expected one of issuer, clientId, scopes, flow, redirectUri, trustedOrigins; did you mean "clientId"?',
    ],
    [
      acme("{ issuer: https://l.example, clientId: me }", "apiKeyEnv: KEY, "),
      "acme.oauth: can't be a key here; expected either oauth or apiKeyEnv, not both",
    ],
    [
      "providers:\n  codex: { oauth: { issuer: https://l.example, clientId: me } }\n",
      "codex.oauth: can't be a key here; expected no login of your own: how one signs in to codex is built in",
    ],
  ])("%j is refused", (text, message) => {
    const parsed = parseConfig(text, "config.yaml");
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });
});
