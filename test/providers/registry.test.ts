import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { baseUrlProblem } from "../../src/providers/base-url.ts";
import { leftOutProviders } from "../../src/providers/left-out.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";

const folder = new URL("../../src/providers/", import.meta.url);

describe("the registry", () => {
  it("gives no id or alias twice, whatever the case, and none to a provider that is left out", () => {
    const names = [...builtInProviders, ...leftOutProviders].flatMap(({ id, aliases }) => [id, ...aliases]);
    const lower = names.map((name) => name.toLowerCase());
    expect(lower.filter((name, i) => lower.indexOf(name) !== i)).toEqual([]);
  });

  it("lists every provider file of the folder, and each file is named for its provider", () => {
    const files = readdirSync(folder)
      .filter((file) => /^export const \w+: Provider = /m.test(readFileSync(new URL(file, folder), "utf8")))
      .map((file) => file.replace(/\.ts$/, ""));
    expect(builtInProviders.map(({ id }) => id).sort()).toEqual(files.sort());
  });

  it.each(builtInProviders)("$id is well formed", (provider) => {
    expect(provider.id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(provider.name.trim()).not.toBe("");
    for (const alias of provider.aliases) expect(alias).toMatch(/^[a-z][a-z0-9._-]*$/);
    if (provider.baseUrl === null) expect(provider.baseUrlEnv).not.toBeNull();
    else {
      expect(baseUrlProblem(provider.baseUrl)).toBeNull();
      expect(provider.baseUrl).not.toMatch(/\/$/);
    }
    for (const { baseUrl } of provider.baseUrlByKeyPrefix ?? []) expect(baseUrlProblem(baseUrl)).toBeNull();
    if (provider.signIn.kind === "api_key") {
      for (const name of provider.signIn.env) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      // A key that is needed must have a way in besides the store.
      if (provider.signIn.required) expect(provider.signIn.env).not.toEqual([]);
    } else expect(baseUrlProblem(provider.signIn.issuer)).toBeNull();
    expect(provider.allowInsecure).toBeUndefined();
  });

  it("finds by id and by alias in any case, and nothing else", () => {
    expect(findProvider(builtInProviders, "Codex")?.id).toBe("codex");
    expect(findProvider(builtInProviders, "OpenAI-Codex")?.id).toBe("codex");
    expect(findProvider(builtInProviders, "codx")).toBeNull();
    expect(findProvider(builtInProviders, "")).toBeNull();
  });
});

describe("codex", () => {
  const codex = findProvider(builtInProviders, "codex");
  const account = { id: "acct-1", userId: null, email: null, plan: null };

  it("names the account it acts for and itself, and no secret", () => {
    const credential = { account } as Parameters<NonNullable<NonNullable<typeof codex>["headers"]>>[0];
    expect(codex?.headers?.(credential)).toEqual({ originator: "understudy", "chatgpt-account-id": "acct-1" });
  });

  it("leaves the account header out when the account is not known", () => {
    const unknown = { account: { ...account, id: null } } as Parameters<
      NonNullable<NonNullable<typeof codex>["headers"]>
    >[0];
    expect(codex?.headers?.(unknown)).toEqual({ originator: "understudy" });
    expect(codex?.headers?.(null)).toEqual({ originator: "understudy" });
  });

  it("asks the backend for what it insists on", () => {
    expect(codex?.bodyRules).toEqual({ set: { store: false }, remove: ["max_output_tokens"], alwaysStream: true });
    expect(codex?.signIn).toMatchObject({ kind: "codex", clientId: "app_EMoamEEZ73f0CkXaXp7hrann" });
  });
});
