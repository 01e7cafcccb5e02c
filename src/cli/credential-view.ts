import type { Random } from "../core/clock.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { Reason } from "../core/failure.ts";
import { orderCredentials, type Strategy } from "../core/select.ts";
import { type Credential, type KeySource, needsRelogin } from "../credentials/credential.ts";
import { assessPool, type Blocked } from "../credentials/pool.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import { describeBlocked, describeTime, signInCommand } from "../turn/advice.ts";
import type { Pool } from "./find-provider.ts";
import { isoTime } from "./output.ts";

/** A credential as it stands now, for people and as JSON. Nothing in it is secret. */
export interface CredentialView {
  /** Its place in the list, from 1. */
  readonly index: number;
  readonly id: string;
  readonly label: string;
  readonly kind: "oauth" | "api_key";
  readonly source: "login" | "stored" | "env" | "file" | "command" | "none";
  /** The variable, the path or the program that the key comes from. */
  readonly sourceName: string | null;
  readonly account: { readonly email: string | null; readonly plan: string | null } | null;
  readonly state: "ready" | "cooling" | "relogin_required" | "paused";
  readonly reason: Reason | null;
  /** The state in words. */
  readonly words: string;
  /** ISO 8601, as all times here. */
  readonly since: string | null;
  readonly until: string | null;
  /** The one command that helps, or null. */
  readonly command: string | null;
  /** Single models that rest while the credential itself is ready. */
  readonly models: readonly { readonly model: string; readonly reason: Reason; readonly until: string | null }[];
  /** True for the one that the next turn tries first. */
  readonly next: boolean;
  readonly accessTokenUntil: string | null;
  readonly uses: number;
  readonly lastUsedAt: string | null;
}

/** How every credential of a pool stands. Reads nothing but its arguments. */
export function viewPool(
  { providerId, provider, credentials }: Pool,
  cooldowns: readonly Cooldown[],
  strategy: Strategy,
  now: number,
  random: Random = Math.random,
): CredentialView[] {
  const { usable, blocked } = assessPool(credentials, cooldowns, "", now);
  const first = strategy === "random" ? undefined : orderCredentials(usable, strategy, random)[0];
  return credentials.map((credential, i) => {
    const standing = blocked.find((one) => one.credential.id === credential.id);
    const advice =
      standing === undefined
        ? readyWords(credential, now)
        : describeBlocked(
            { target: { provider: providerId, model: "" }, why: "blocked", blocked: standing },
            provider,
            now,
          );
    return {
      index: i + 1,
      id: credential.id,
      label: credential.label,
      kind: credential.kind,
      ...viewSource(credential),
      account: credential.kind === "oauth" ? { email: credential.account.email, plan: credential.account.plan } : null,
      state: stateOf(standing),
      ...facts(standing),
      words: advice.cause,
      command: advice.command,
      models: cooldowns
        .filter(
          (one) =>
            one.provider === providerId &&
            (one.credentialId === credential.id || one.credentialId === "") &&
            one.model !== "" &&
            one.until > now,
        )
        .map(({ model, reason, until }) => ({ model, reason, until: isoTime(until) })),
      next: credential.id === first?.id,
      accessTokenUntil: credential.kind === "oauth" ? isoTime(credential.grant.expiresAt) : null,
      uses: credential.uses,
      lastUsedAt: credential.lastUsedAt === 0 ? null : isoTime(credential.lastUsedAt),
    };
  });
}

/** `login`, `login · plus plan`, `key`, `key in $NAME`, … */
export function describeSource(view: CredentialView): string {
  switch (view.source) {
    case "login": {
      const { email = null, plan = null } = view.account ?? {};
      const who = email === null || email === view.label ? [] : [email];
      return ["login", ...who, ...(plan === null ? [] : [`${plan} plan`])].join(" · ");
    }
    case "stored":
      return "key";
    case "env":
      return view.label === `$${view.sourceName}` ? "key in the environment" : `key in $${view.sourceName ?? ""}`;
    case "file":
      return `key in ${view.sourceName ?? ""}`;
    case "command":
      return `key from ${view.sourceName ?? ""}`;
    case "none":
      return "needs no key";
  }
}

function viewSource(credential: Credential): Pick<CredentialView, "source" | "sourceName"> {
  if (credential.kind === "oauth") return { source: "login", sourceName: null };
  return { source: credential.source.from, sourceName: sourceName(credential.source) };
}

function sourceName(source: KeySource): string | null {
  switch (source.from) {
    case "stored":
    case "none":
      return null;
    case "env":
      return source.name;
    case "file":
      return source.path;
    case "command":
      return cleanMessage(source.command);
  }
}

function stateOf(standing: Blocked | undefined): CredentialView["state"] {
  if (standing === undefined) return "ready";
  if (standing.why === "cooling" && standing.cooldown.reason === "relogin_required") return "relogin_required";
  return standing.why;
}

function facts(standing: Blocked | undefined): Pick<CredentialView, "reason" | "since" | "until"> {
  switch (standing?.why) {
    case undefined:
    case "paused":
      return { reason: null, since: null, until: null };
    case "relogin_required":
      return { reason: "relogin_required", since: isoTime(standing.since), until: null };
    case "cooling": {
      const { reason, since, until } = standing.cooldown;
      return { reason, since: isoTime(since), until: reason === "relogin_required" ? null : isoTime(until) };
    }
  }
}

/** A login may be ready and still have something to tell. */
function readyWords(credential: Credential, now: number): { cause: string; command: string | null } {
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
