import { signal } from "@preact/signals";

/** What a change was refused for; null when the last one went well. */
export const problem = signal<string | null>(null);

/** Runs a change that a person asked for. How things stand then, the live stream tells. */
export function act(change: () => Promise<unknown>): void {
  problem.value = null;
  change().catch((error: unknown) => {
    problem.value = error instanceof Error ? error.message : String(error);
  });
}
