import type { Random } from "../core/clock.ts";
import type { Cooldown } from "../core/cooldown.ts";
import { orderCredentials, type Strategy } from "../core/select.ts";
import { type Credential, needsRelogin } from "../credentials/credential.ts";
import { assessPool, type Blocked } from "../credentials/pool.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import type { Provider } from "../providers/provider.ts";
import { describeBlocked, describeTime, signInCommand } from "./advice.ts";

/** How a credential of a pool stands now, for whoever lists them. Nothing in it is secret. */
export interface Standing {
  readonly credential: Credential;
  /** What keeps it from serving; null when nothing does. */
  readonly blocked: Blocked | null;
  readonly state: "ready" | "cooling" | "relogin_required" | "paused";
  /** The state in words. */
  readonly words: string;
  /** The one command that helps, or null. */
  readonly command: string | null;
  /** True for the one that the next turn tries first; of a strategy that goes by chance, for none. */
  readonly isNext: boolean;
}

/** All credentials of one provider; `provider` is null when the configuration no longer knows it. */
export interface ListedPool {
  readonly id: string;
  readonly provider: Provider | null;
  readonly credentials: readonly Credential[];
}

/** How every credential of a pool stands, in the order of the pool. Reads nothing but its arguments. */
export function describePool(
  { id, provider, credentials }: ListedPool,
  cooldowns: readonly Cooldown[],
  strategy: Strategy,
  now: number,
  random: Random = Math.random,
): Standing[] {
  const { usable, blocked: all } = assessPool(credentials, cooldowns, "", now);
  const first = strategy === "random" ? undefined : orderCredentials(usable, strategy, random)[0];
  const target = { provider: id, model: "" };
  return credentials.map((credential) => {
    const blocked = all.find((one) => one.credential.id === credential.id) ?? null;
    const { cause, command } =
      blocked === null
        ? describeReady(credential, now)
        : describeBlocked({ target, why: "blocked", blocked }, provider, now);
    return {
      credential,
      blocked,
      state: stateOf(blocked),
      words: cause,
      command,
      isNext: credential.id === first?.id,
    };
  });
}

function stateOf(blocked: Blocked | null): Standing["state"] {
  if (blocked === null) return "ready";
  if (blocked.why === "cooling" && blocked.cooldown.reason === "relogin_required") return "relogin_required";
  return blocked.why;
}

/** A login may be ready and still have something to tell. */
function describeReady(credential: Credential, now: number): { cause: string; command: string | null } {
  if (credential.kind === "api_key") return { cause: "ready", command: null };
  const { grant, relogin, unknownOutcome } = credential;
  if (needsRelogin(credential)) {
    const until = grant.expiresAt === null ? "its token ends" : describeTime(grant.expiresAt, now);
    return {
      cause: `ready until ${until}, then sign in again: ${relogin?.message ?? "the login has ended"}`,
      command: signInCommand(credential.provider, credential),
    };
  }
  if (unknownOutcome?.generation === grant.generation) {
    const when = describeTime(unknownOutcome.since, now);
    return { cause: `ready; the answer to its refresh at ${when} was lost`, command: null };
  }
  return { cause: "ready", command: null };
}

/** Where a credential comes from. */
export interface SourceFacts {
  readonly label: string;
  readonly source: "login" | "stored" | "env" | "file" | "command" | "none";
  /** The variable, the path or the program that the key comes from. */
  readonly sourceName: string | null;
  readonly account: { readonly email: string | null; readonly plan: string | null } | null;
}

export function readSource(credential: Credential): SourceFacts {
  const { label } = credential;
  if (credential.kind === "oauth") {
    const { email, plan } = credential.account;
    return { label, source: "login", sourceName: null, account: { email, plan } };
  }
  const { source } = credential;
  const facts = { label, source: source.from, account: null };
  switch (source.from) {
    case "stored":
    case "none":
      return { ...facts, sourceName: null };
    case "env":
      return { ...facts, sourceName: source.name };
    case "file":
      return { ...facts, sourceName: source.path };
    case "command":
      return { ...facts, sourceName: cleanMessage(source.command) };
  }
}

/** `login · plus plan`, `key`, `key in $NAME`, … The e-mail address is told where it is not the label. */
export function describeSource({ label, source, sourceName, account }: SourceFacts): string {
  switch (source) {
    case "login": {
      const { email = null, plan = null } = account ?? {};
      const who = email === null || email === label ? [] : [email];
      return ["login", ...who, ...(plan === null ? [] : [`${plan} plan`])].join(" · ");
    }
    case "stored":
      return "key";
    case "env":
      return label === `$${sourceName}` ? "key in the environment" : `key in $${sourceName ?? ""}`;
    case "file":
      return `key in ${sourceName ?? ""}`;
    case "command":
      return `key from ${sourceName ?? ""}`;
    case "none":
      return "needs no key";
  }
}
