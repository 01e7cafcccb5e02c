import type { Provider } from "../providers/provider.ts";
import { builtInProviders } from "../providers/registry.ts";
import { nameIssues, providerIssues } from "./check-providers.ts";
import { referenceIssues } from "./check-references.ts";
import { failureIssues } from "./check-failures.ts";
import { mergeProviders } from "./merge-providers.ts";
import type { ConfigIssue } from "./problem.ts";
import { type Config, configSchema } from "./schema.ts";
import { shapeIssues } from "./shape-issues.ts";

export type ConfigCheck =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Checks a configuration that is already an object. First its shape; if that is right, what it says of providers:
 *
 * - every provider that a route, a pool or `defaultRoute` names is there, and no target stands twice in a route;
 * - a provider of one's own has a protocol and a base URL; a built-in one is changed under its id, not under an alias,
 *   so that nobody sends its keys elsewhere by choosing a name that was taken;
 * - no name stands for two providers;
 * - a URL is https, or plain http to this machine, unless `allowInsecure: true` (rule R7);
 * - headers carry no key: that is what credentials are for (rule R8);
 * - a row under `failures` matches something, by patterns that are quick on any text, at providers that are there.
 */
export function checkConfig(value: unknown, builtIns: readonly Provider[] = builtInProviders): ConfigCheck {
  const parsed = configSchema.safeParse(withoutEmptySections(value));
  if (!parsed.success) return { ok: false, issues: shapeIssues(parsed.error.issues, value) };
  const config = parsed.data;
  const issues = [...providerIssues(config, builtIns), ...nameIssues(config, builtIns)];
  // Unusable providers would make every route that names them look wrong as well.
  if (issues.length === 0) {
    const providers = mergeProviders(config, builtIns);
    issues.push(...referenceIssues(config, providers), ...failureIssues(config, providers));
  }
  return issues.length === 0 ? { ok: true, config } : { ok: false, issues };
}

/** `routes:` with everything below it commented out reads as null; it means "none". */
function withoutEmptySections(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value ?? {};
  return Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null));
}
