import type { Secret } from "../core/secret.ts";
import { type Strategy, strategies } from "../core/select.ts";
import { formatTarget, type ProtocolName } from "../core/target.ts";
import type { Account, KeySource } from "../credentials/credential.ts";
import type { Found, FoundProvider, FoundTarget } from "../credentials/imports/found.ts";
import type { NewGrant } from "../credentials/store.ts";
import { assessKey, assessLogin, type ImportContext } from "../providers/assess-import.ts";
import { baseUrlProblem, trimBaseUrl } from "../providers/base-url.ts";
import { findLeftOut } from "../providers/left-out.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { looksLikeKey, steeringCharacter } from "../providers/label.ts";

/** What would come over, piece by piece, and why something would not. Nothing in it may be printed but `what` and `reason`. */
export interface ImportPlan {
  readonly logins: readonly PlannedLogin[];
  readonly keys: readonly PlannedKey[];
  /** The route that the chain becomes; null when there is no chain, or one that can't be taken. */
  readonly route: { readonly name: string; readonly targets: readonly string[] } | null;
  readonly strategies: readonly { readonly provider: string; readonly strategy: Strategy }[];
  readonly providers: readonly PlannedProvider[];
  readonly lines: readonly PlanLine[];
}

export interface PlanLine {
  /** Where it stands in the other tool's file. */
  readonly place: string;
  readonly action: "add" | "renew" | "present" | "refused";
  /** What it is here: `codex · ann@example.com`. Null when it is nothing here. */
  readonly what: string | null;
  readonly reason: string | null;
}

export interface PlannedLogin {
  readonly provider: Provider;
  readonly account: Account;
  readonly grant: NewGrant;
  readonly label: string;
}

export interface PlannedKey {
  readonly provider: Provider;
  readonly source: KeySource;
  readonly label: string;
}

export interface PlannedProvider {
  readonly id: string;
  readonly settings: Readonly<Record<string, string>>;
}

export interface PlanContext extends ImportContext {
  /** Names of the routes and the pools that the configuration has already. */
  readonly routes: readonly string[];
  readonly pools: readonly string[];
  readonly routeName: string;
}

/** Judges everything that was found. Reads and writes nothing. */
export function planImport(found: Found, context: PlanContext): ImportPlan {
  const lines: PlanLine[] = found.leftOut.map(({ place, reason }) => ({
    place,
    action: "refused",
    what: null,
    reason,
  }));
  const providers = planProviders(found.providers, context, lines);
  const known: PlanContext = { ...context, providers: [...context.providers, ...providers.map(toProvider)] };
  const logins: PlannedLogin[] = [];
  const keys: PlannedKey[] = [];
  const taken = new Set(context.credentials.map(({ provider, label }) => `${provider} ${label.toLowerCase()}`));
  const seen: Secret[] = [];

  for (const one of found.credentials) {
    const named = one.kind === "key" ? { ...one, provider: ownId(one.provider) } : one;
    const verdict = named.kind === "login" ? assessLogin(named, known) : assessKey(named, known);
    if (verdict.kind === "present" || verdict.kind === "refused") {
      lines.push({ place: one.place, action: verdict.kind, what: null, reason: verdict.reason });
      continue;
    }
    const secret = verdict.kind === "login" ? verdict.grant.refreshToken : secretOf(verdict.source);
    if (secret !== null && seen.some((other) => other.equals(secret))) {
      lines.push({ place: one.place, action: "present", what: null, reason: "it stands in the file twice" });
      continue;
    }
    if (secret !== null) seen.push(secret);
    const { provider } = verdict;
    if (verdict.kind === "login") {
      const { account, grant, renews } = verdict;
      const label = renews?.label ?? freeLabel(account.email ?? provider.id, provider.id, taken);
      logins.push({ provider, account, grant, label });
      const action = renews === null ? "add" : "renew";
      lines.push({ place: one.place, action, what: `${provider.id} · ${label}`, reason: null });
    } else {
      const wanted = verdict.source.from === "env" ? `$${verdict.source.name}` : harmless(one.label);
      const label = freeLabel(wanted, provider.id, taken);
      keys.push({ provider, source: verdict.source, label });
      lines.push({ place: one.place, action: "add", what: `${provider.id} · ${label}`, reason: null });
    }
  }
  const route = planRoute(found.targets, known, lines);
  const chosen = planStrategies(found, known, lines);
  return { logins, keys, route, strategies: chosen, providers, lines };
}

const modes: Readonly<Record<string, ProtocolName>> = {
  chat_completions: "chat-completions",
  codex_responses: "responses",
  anthropic_messages: "messages",
};

function planProviders(found: readonly FoundProvider[], context: PlanContext, lines: PlanLine[]): PlannedProvider[] {
  const planned: PlannedProvider[] = [];
  for (const { place, name, baseUrl, mode, variable } of found) {
    const id = ownId(`custom:${name}`);
    const protocol = modes[mode ?? "chat_completions"];
    const problem = baseUrlProblem(baseUrl);
    const refuse = (reason: string): unknown => lines.push({ place, action: "refused", what: null, reason });
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) refuse("its name can't be one here");
    else if (findProvider(context.providers, id) !== null || planned.some((one) => one.id === id)) {
      lines.push({ place, action: "present", what: null, reason: `a provider called ${id} is there already` });
    } else if (protocol === undefined) refuse("it speaks a protocol that is not known here");
    else if (problem !== null) refuse(`its address can't be used: it must ${problem}`);
    else {
      const url = trimBaseUrl(baseUrl);
      planned.push({ id, settings: { protocol, baseUrl: url, ...(variable === null ? {} : { apiKeyEnv: variable }) } });
      lines.push({ place, action: "add", what: `provider ${id}`, reason: null });
    }
  }
  return planned;
}

/** As much of a provider as the judging of keys and targets needs. */
function toProvider({ id, settings }: PlannedProvider): Provider {
  return {
    id,
    name: id,
    aliases: [],
    signIn: {
      kind: "api_key",
      env: settings["apiKeyEnv"] === undefined ? [] : [settings["apiKeyEnv"]],
      required: true,
    },
    protocol: "chat-completions",
    baseUrl: settings["baseUrl"] ?? null,
    baseUrlEnv: null,
  };
}

function planRoute(found: readonly FoundTarget[], context: PlanContext, lines: PlanLine[]): ImportPlan["route"] {
  const targets: string[] = [];
  for (const { place, provider: name, model, baseUrl } of found) {
    const provider = findProvider(context.providers, ownId(name));
    const reason =
      provider === null
        ? (findLeftOut(name)?.reason ??
          (name === "auto" ? "it names no provider" : "no provider of this name is known here"))
        : whyOtherAddress(baseUrl, provider);
    if (provider === null || reason !== null) {
      lines.push({ place, action: "refused", what: null, reason });
      continue;
    }
    // The other tool writes the maker before the model where the provider has only one.
    const target = formatTarget({
      provider: provider.id,
      model: model.startsWith(`${name}/`) ? model.slice(name.length + 1) : model,
    });
    if (!targets.includes(target)) targets.push(target);
  }
  if (targets.length === 0) return null;
  const { routeName: name, routes } = context;
  if (routes.includes(name)) {
    const reason = `a route called ${name} is there already; --route gives it another name`;
    lines.push({ place: "the chain", action: "present", what: null, reason });
    return null;
  }
  lines.push({ place: "the chain", action: "add", what: `route ${name}: ${targets.join(", ")}`, reason: null });
  return { name, targets };
}

function whyOtherAddress(baseUrl: string | null, provider: Provider): string | null {
  if (baseUrl === null || provider.baseUrl === null || !URL.canParse(baseUrl)) return null;
  const same = new URL(baseUrl).origin === new URL(provider.baseUrl).origin;
  return same ? null : `it calls another address than ${provider.id} has here`;
}

function planStrategies(
  { strategies: found }: Found,
  context: PlanContext,
  lines: PlanLine[],
): ImportPlan["strategies"] {
  return found.flatMap(({ provider: name, strategy }) => {
    const place = `credential_pool_strategies.${name}`;
    const provider = findProvider(context.providers, ownId(name));
    const known = strategies.find((one) => one === strategy);
    const reason =
      provider === null
        ? "no provider of this name is known here"
        : known === undefined
          ? "this strategy is not known here"
          : context.pools.includes(provider.id)
            ? `the pool of ${provider.id} has a strategy already`
            : null;
    if (provider === null || known === undefined || reason !== null) {
      lines.push({ place, action: "refused", what: null, reason });
      return [];
    }
    lines.push({ place, action: "add", what: `${provider.id}: ${known}`, reason: null });
    return [{ provider: provider.id, strategy: known }];
  });
}

/** `custom:My Server` → `my-server`: the other tool's name for a provider of one's own, as one here. */
function ownId(name: string): string {
  return name.startsWith("custom:") ? name.slice(7).trim().toLowerCase().replaceAll(/\s+/g, "-") : name;
}

function secretOf(source: KeySource): Secret | null {
  return source.from === "stored" ? source.secret : null;
}

function harmless(label: string | null): string {
  if (label === null || looksLikeKey(label) || steeringCharacter.test(label)) return "imported";
  return label.slice(0, 60);
}

/** The label, with a number if it is taken. */
function freeLabel(wanted: string, provider: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const label = n === 1 ? wanted : `${wanted}-${n}`;
    const key = `${provider} ${label.toLowerCase()}`;
    if (taken.has(key)) continue;
    taken.add(key);
    return label;
  }
}
