import type { PlanUsage, PlanWindow } from "../core/plan-usage.ts";
import type { CacheFiles } from "./cache-files.ts";

/**
 * The last word on each account's plan, by credential. Heard beside every answer, so it is written at most once a second; a crash
 * costs that second.
 */
export interface UsageLog {
  note(credentialId: string, usage: PlanUsage): void;
  /** What was noted last, by any process; null when nothing was, or when it can't be read. */
  read(credentialId: string): PlanUsage | null;
  /** Writes what is still to be written. */
  flush(): void;
}

const writeEveryMs = 1_000;

export function createUsageLog(cache: CacheFiles): UsageLog {
  const unwritten = new Map<string, PlanUsage>();
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    for (const [id, usage] of unwritten) cache.write(nameOf(id), usage);
    unwritten.clear();
  }

  return {
    note(credentialId, usage) {
      unwritten.set(credentialId, usage);
      timer ??= setTimeout(flush, writeEveryMs).unref();
    },
    read: (credentialId) => unwritten.get(credentialId) ?? parseUsage(cache.read(nameOf(credentialId))),
    flush,
  };
}

function nameOf(credentialId: string): string {
  return `usage-${credentialId}`;
}

/** Null for a file of another version, or of somebody else. */
function parseUsage(value: unknown): PlanUsage | null {
  if (typeof value !== "object" || value === null) return null;
  const { plan, windows, credits, at, source } = value as Partial<PlanUsage>;
  if (typeof at !== "number" || !Array.isArray(windows) || !windows.every(isWindow)) return null;
  const known = source === "headers" || source === "event" || source === "endpoint";
  if (!known) return null;
  return { plan: typeof plan === "string" ? plan : null, windows, credits: credits ?? null, at, source };
}

function isWindow(value: unknown): value is PlanWindow {
  if (typeof value !== "object" || value === null) return false;
  const { name, usedPercent, windowMinutes, resetsAt } = value as Partial<PlanWindow>;
  const isNumberOrNull = (one: unknown): boolean => one === null || typeof one === "number";
  return (
    typeof name === "string" &&
    typeof usedPercent === "number" &&
    isNumberOrNull(windowMinutes) &&
    isNumberOrNull(resetsAt)
  );
}
