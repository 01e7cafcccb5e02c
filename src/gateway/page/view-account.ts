import type { Cooldown } from "../../core/cooldown.ts";
import type { PlanUsage, PlanWindow } from "../../core/plan-usage.ts";
import { orderCredentials } from "../../core/select.ts";
import { type Credential, needsRelogin } from "../../credentials/credential.ts";
import { assessPool, type Blocked } from "../../credentials/pool.ts";
import { cleanMessage } from "../../failures/clean-message.ts";
import type { Provider } from "../../providers/provider.ts";
import { describeBlocked, describeDuration, describeReason, describeTime, signInCommand } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import type { AccountView, PlanView, RestView, WindowView } from "./view.ts";

/** One provider's credentials: the stored ones by priority, then those of the environment. */
export interface Pool {
  readonly id: string;
  /** Null when the configuration no longer knows it. */
  readonly provider: Provider | null;
  readonly credentials: readonly Credential[];
}

/** How every account of a pool stands. */
export function viewAccounts(
  { runtime, usage }: Workspace,
  { id, provider, credentials }: Pool,
  cooldowns: readonly Cooldown[],
  now: number,
): AccountView[] {
  const { usable, blocked } = assessPool(credentials, cooldowns, "", now);
  const strategy = runtime.strategyOf(id);
  const first = strategy === "random" ? undefined : orderCredentials(usable, strategy, () => 0)[0];
  return credentials.map((credential) => {
    const standing = blocked.find((one) => one.credential.id === credential.id);
    const target = { provider: id, model: "" };
    const { cause, command } =
      standing === undefined
        ? describeReady(credential, now)
        : describeBlocked({ target, why: "blocked", blocked: standing }, provider, now);
    const state = stateOf(standing);
    return {
      id: credential.id,
      label: credential.label,
      source: describeSource(credential),
      email: credential.kind === "oauth" ? credential.account.email : null,
      state,
      words: cause,
      command,
      until: standing?.why === "cooling" && state === "resting" ? standing.cooldown.until : null,
      next: credential.id === first?.id,
      stored: credential.kind === "oauth" || credential.persisted,
      canSignIn: credential.kind === "oauth" && provider !== null && provider.signIn.kind !== "api_key",
      rests: viewRests(cooldowns, id, credential.id, now),
      uses: credential.uses,
      lastUsedAt: credential.lastUsedAt === 0 ? null : credential.lastUsedAt,
      plan: viewPlan(usage.read(credential.id), now),
    };
  });
}

/**
 * Rests that are not the account's own: for an account those of single models, for the pool (`credentialId` empty) those of a model or
 * of the whole provider.
 */
export function viewRests(
  cooldowns: readonly Cooldown[],
  provider: string,
  credentialId: string,
  now: number,
): RestView[] {
  return cooldowns
    .filter(
      (one) =>
        one.provider === provider &&
        one.credentialId === credentialId &&
        one.until > now &&
        (one.model !== "" || credentialId === ""),
    )
    .map(({ model, reason, until }) => ({
      model,
      until,
      words: `${describeReason(reason)}, until ${describeTime(until, now)}`,
    }));
}

function stateOf(standing: Blocked | undefined): AccountView["state"] {
  switch (standing?.why) {
    case undefined:
      return "ready";
    case "paused":
      return "paused";
    case "relogin_required":
      return "sign_in";
    case "cooling":
      return standing.cooldown.reason === "relogin_required" ? "sign_in" : "resting";
  }
}

/** A login may be ready and still have something to tell. */
function describeReady(credential: Credential, now: number): { cause: string; command: string | null } {
  if (credential.kind === "api_key" || !needsRelogin(credential)) return { cause: "ready", command: null };
  const { grant, provider } = credential;
  const until = grant.expiresAt === null ? "its token ends" : describeTime(grant.expiresAt, now);
  return { cause: `ready until ${until}, then sign in again`, command: signInCommand(provider, credential) };
}

function describeSource(credential: Credential): string {
  if (credential.kind === "oauth") {
    return credential.account.plan === null ? "login" : `login · ${credential.account.plan} plan`;
  }
  const { source } = credential;
  switch (source.from) {
    case "stored":
      return "key";
    case "env":
      return `key in $${source.name}`;
    case "file":
      return `key in ${source.path}`;
    case "command":
      return `key from ${cleanMessage(source.command)}`;
    case "none":
      return "needs no key";
  }
}

function viewPlan(usage: PlanUsage | null, now: number): PlanView | null {
  if (usage === null) return null;
  const windows = usage.windows.toSorted((a, b) => (a.windowMinutes ?? 0) - (b.windowMinutes ?? 0));
  const { credits } = usage;
  return {
    windows: windows.map((window) => viewWindow(window, now)),
    credits: credits === null ? null : credits.unlimited ? "unlimited" : (credits.balance ?? "some"),
    at: usage.at,
  };
}

function viewWindow({ name, usedPercent, windowMinutes, resetsAt }: PlanWindow, now: number): WindowView {
  const isOver = resetsAt !== null && resetsAt <= now;
  const length = windowMinutes === null ? null : describeDuration(windowMinutes * 60_000);
  const isPlain = /^(primary|secondary)$/.test(name);
  return {
    name: length === null ? name : isPlain ? length : `${length} ${name}`,
    usedPercent: isOver ? 0 : usedPercent,
    resetsAt: isOver ? null : resetsAt,
  };
}
