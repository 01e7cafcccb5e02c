import { baseUrlProblem } from "../providers/base-url.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import type { ConfigIssue } from "./problem.ts";
import type { Config, ProviderConfig } from "./schema.ts";
import { keyIssue, valueIssue } from "./shape-issues.ts";

/** What is wrong with the entries under `providers`, each looked at by itself. */
export function providerIssues(config: Config, builtIns: readonly Provider[]): ConfigIssue[] {
  return Object.entries(config.providers).flatMap(([id, entry]) => entryIssues(id, entry, config, builtIns));
}

function entryIssues(id: string, entry: ProviderConfig, config: Config, builtIns: readonly Provider[]): ConfigIssue[] {
  const at = (key: string): string[] => ["providers", id, key];
  const issues: ConfigIssue[] = [];
  const known = findProvider(builtIns, id);
  if (known !== null && known.id !== id) {
    return [
      keyIssue(["providers", id], `${known.id}, of which ${id} is another name, or a name that is not taken`, null),
    ];
  }
  if (known === null) {
    if (entry.protocol === undefined) {
      const near = didYouMean(
        nearestNames(
          id,
          builtIns.map((provider) => provider.id),
        ),
      );
      issues.push({ ...valueIssue(at("protocol"), config, ownProvider), suggestion: near });
    }
    if (entry.baseUrl === undefined) issues.push(valueIssue(at("baseUrl"), config, ownProvider));
  }
  for (const key of ["baseUrl", "issuer"] as const) {
    const url = entry[key];
    const problem = url === undefined ? null : baseUrlProblem(url.trim(), entry.allowInsecure);
    if (problem !== null) issues.push(valueIssue(at(key), config, `a URL that can be used; it must ${problem}`));
  }
  issues.push(...oauthIssues(id, entry, config, known));
  const hasLogin = known?.signIn.kind === "codex";
  if (entry.issuer !== undefined && !hasLogin) {
    issues.push(keyIssue(at("issuer"), "no issuer: it is for providers that one signs in to, such as codex", null));
  }
  if (entry.apiKeyEnv !== undefined && hasLogin) {
    issues.push(keyIssue(at("apiKeyEnv"), `no key: one signs in to ${id}; openai takes a key`, null));
  }
  for (const name of Object.keys(entry.headers ?? {})) {
    if (forbiddenHeaders.has(name.toLowerCase())) {
      issues.push(keyIssue([...at("headers"), name], "another header: this one is written with the request", null));
    }
  }
  return issues;
}

/** What is wrong with a login that the configuration describes. Rule R7: its tokens go to these places. */
function oauthIssues(id: string, entry: ProviderConfig, config: Config, known: Provider | null): ConfigIssue[] {
  const { oauth } = entry;
  if (oauth === undefined) return [];
  const at = (...path: (string | number)[]): (string | number)[] => ["providers", id, "oauth", ...path];
  if (known !== null) return [keyIssue(at(), `no login of your own: how one signs in to ${id} is built in`, null)];
  if (entry.apiKeyEnv !== undefined) return [keyIssue(at(), "either oauth or apiKeyEnv, not both", null)];
  const places: readonly [path: (string | number)[], url: string][] = [
    [at("issuer"), oauth.issuer],
    ...oauth.trustedOrigins.map((url, i): [(string | number)[], string] => [at("trustedOrigins", i), url]),
  ];
  // Never plain http to another machine, whatever allowInsecure says: a refresh token lives for months.
  const wrong = places.filter(([, url]) => baseUrlProblem(url.trim()) !== null);
  return wrong.map(([path]) => valueIssue(path, config, "an https URL, or http on this machine"));
}

const ownProvider = "protocol and baseUrl for a provider that is not built in";

/** Those that carry the secret, and those that belong to the request or the connection itself. */
const forbiddenHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "x-goog-api-key",
  "api-key",
  "cookie",
  "host",
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "connection",
  "accept-encoding",
]);

/** No id or alias may stand for two providers, whatever the case. */
export function nameIssues(config: Config, builtIns: readonly Provider[]): ConfigIssue[] {
  const owners = new Map<string, string>();
  for (const { id, aliases } of builtIns) for (const name of [id, ...aliases]) owners.set(name.toLowerCase(), id);
  const issues: ConfigIssue[] = [];
  const claim = (name: string, id: string, issue: ConfigIssue): void => {
    const owner = owners.get(name.toLowerCase());
    if (owner !== undefined && owner !== id) issues.push(issue);
    else owners.set(name.toLowerCase(), id);
  };
  for (const id of Object.keys(config.providers)) {
    if (findProvider(builtIns, id) === null)
      claim(id, id, keyIssue(["providers", id], "a name that is not taken", null));
  }
  for (const [id, entry] of Object.entries(config.providers)) {
    entry.aliases?.forEach((alias, i) => {
      claim(alias, id, valueIssue(["providers", id, "aliases", i], config, "a name that is not taken"));
    });
  }
  return issues;
}
