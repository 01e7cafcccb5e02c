import type { Cooldown } from "../../core/cooldown.ts";
import type { PlanUsage, PlanWindow } from "../../core/plan-usage.ts";
import { describeDuration, describeReason, describeTime } from "../../turn/advice.ts";
import { describePool, describeSource, type ListedPool, readSource } from "../../turn/credential-standing.ts";
import type { Workspace } from "../../workspace.ts";
import type { AccountView, PlanView, RestView, WindowView } from "./view.ts";

/** How every account of a pool stands. */
export function viewAccounts(
  { runtime, usage }: Workspace,
  pool: ListedPool,
  cooldowns: readonly Cooldown[],
  now: number,
): AccountView[] {
  const { id, provider } = pool;
  return describePool(pool, cooldowns, runtime.strategyOf(id), now, () => 0).map((standing) => {
    const { credential, blocked, state, words, command, isNext } = standing;
    const { account, ...source } = readSource(credential);
    return {
      id: credential.id,
      label: credential.label,
      source: describeSource({ ...source, account: account === null ? null : { ...account, email: null } }),
      email: account?.email ?? null,
      state: stateNames[state],
      words,
      command,
      until: blocked?.why === "cooling" && state === "cooling" ? blocked.cooldown.until : null,
      next: isNext,
      stored: credential.kind === "oauth" || credential.persisted,
      canSignIn: credential.kind === "oauth" && provider !== null && provider.signIn.kind !== "api_key",
      rests: viewRests(cooldowns, id, credential.id, now),
      uses: credential.uses,
      lastUsedAt: credential.lastUsedAt === 0 ? null : credential.lastUsedAt,
      plan: viewPlan(usage.read(credential.id), now),
    };
  });
}

const stateNames = { ready: "ready", cooling: "resting", relogin_required: "sign_in", paused: "paused" } as const;

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
