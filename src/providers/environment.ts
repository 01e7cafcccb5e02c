import { isUsableSecret } from "../core/secret.ts";
import type { ApiKeyCredential } from "../credentials/credential.ts";
import type { Provider } from "./provider.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Priority of credentials that no store keeps: after every stored one. */
export const environmentPriority = 1_000_000;

/**
 * The credentials that are there without having been added: at most one per provider, for keys found in `env`, and one
 * without a key for a provider that asks for none, which counts only where no other is stored (`poolOf`). Nothing is stored, and the key itself is not kept: `source` says
 * where to read it at the moment of use.
 *
 * - The first variable of a provider that holds a usable key counts. A variable that two providers read serves both.
 * - Refused keys (`Provider.refusedKeys`) are passed over; `ignoredVariables` says which and why.
 * - The id holds the first 8 characters of `fingerprint(key)`, lower-case hex of its SHA-256, so that cooldowns end
 *   with the key that earned them.
 */
export function environmentCredentials(
  providers: readonly Provider[],
  env: Environment,
  fingerprint: (text: string) => string,
): ApiKeyCredential[] {
  const found: ApiKeyCredential[] = [];
  for (const provider of providers) {
    if (provider.signIn.kind !== "api_key") continue;
    const name = provider.signIn.env.find(
      (variable) =>
        isUsableSecret(env[variable]) &&
        refusedVariable(provider, variable) === null &&
        refusedKey(provider, env[variable]) === null,
    );
    if (name !== undefined) {
      const print = fingerprint((env[name] ?? "").trim()).slice(0, 8);
      found.push({
        ...unstored(provider, `env-${provider.id}-${name}-${print}`, `$${name}`),
        source: { from: "env", name },
      });
    } else if (!provider.signIn.required) {
      found.push({ ...unstored(provider, `env-${provider.id}-none`, "no key"), source: { from: "none" } });
    }
  }
  return found;
}

/** A variable that holds something which is not used as a key, and why, in words for a person. No part of the value. */
export interface IgnoredVariable {
  readonly provider: string;
  readonly name: string;
  readonly reason: string;
}

/** Key variables that are set in `env` but not used. */
export function ignoredVariables(providers: readonly Provider[], env: Environment): IgnoredVariable[] {
  const ignored: IgnoredVariable[] = [];
  for (const provider of providers) {
    if (provider.signIn.kind !== "api_key") continue;
    for (const name of new Set([...provider.signIn.env, ...refusedVariableNames(provider)])) {
      const value = env[name]?.trim() ?? "";
      if (value === "") continue;
      const reason =
        refusedVariable(provider, name) ??
        refusedKey(provider, value) ??
        (isUsableSecret(value) ? null : "it holds a placeholder, not a key");
      if (reason !== null) ignored.push({ provider: provider.id, name, reason });
    }
  }
  return ignored;
}

/** Why `key` is not used for this provider, or null. Ask before a key is stored or sent. */
export function refusedKey(provider: Provider, key: string | undefined): string | null {
  const trimmed = key?.trim() ?? "";
  const rule = provider.refusedKeys?.find((rule) => "prefix" in rule && trimmed.startsWith(rule.prefix));
  return rule?.reason ?? null;
}

function refusedVariable(provider: Provider, name: string): string | null {
  return provider.refusedKeys?.find((rule) => "env" in rule && rule.env === name)?.reason ?? null;
}

function refusedVariableNames(provider: Provider): string[] {
  return (provider.refusedKeys ?? []).flatMap((rule) => ("env" in rule ? [rule.env] : []));
}

function unstored(provider: Provider, id: string, label: string): Omit<ApiKeyCredential, "source"> {
  return {
    kind: "api_key",
    id,
    provider: provider.id,
    label,
    priority: environmentPriority,
    paused: false,
    createdAt: 0,
    uses: 0,
    lastUsedAt: 0,
    persisted: false,
  };
}
