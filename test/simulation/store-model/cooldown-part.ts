import type { Clock } from "../../../src/core/clock.ts";
import type { Cooldown } from "../../../src/core/cooldown.ts";
import type { Disk } from "./disk.ts";
import type { SyncStore } from "./model-store.ts";

/** How long the failure count of a cooldown that is over still matters, in ms: one day. */
const rememberedMs = 24 * 60 * 60_000;

export function createCooldownPart(
  disk: Disk,
  clock: Clock,
): Pick<SyncStore, "listCooldowns" | "putCooldown" | "clearCooldowns"> {
  return {
    listCooldowns(provider) {
      const after = clock.now() - rememberedMs;
      return disk.content.cooldowns.filter(
        (one) => one.until > after && (provider === undefined || one.provider === provider),
      );
    },

    putCooldown(cooldown) {
      const given = { ...cooldown, until: Math.round(cooldown.until), since: Math.round(cooldown.since) };
      const after = clock.now() - rememberedMs;
      const kept = disk.content.cooldowns.filter((one) => one.until > after);
      const at = kept.findIndex((one) => keyOf(one) === keyOf(given));
      const stored = kept[at];
      const merged =
        stored === undefined
          ? given
          : {
              ...(given.until > stored.until ? given : stored),
              failures: Math.max(stored.failures, given.failures),
            };
      if (stored === undefined) kept.push(merged);
      else kept[at] = merged;
      disk.write({ ...disk.content, cooldowns: kept.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }, true);
    },

    clearCooldowns({ provider, credentialId, model, setBefore }) {
      const { cooldowns } = disk.content;
      const left = cooldowns.filter(
        (one) =>
          (provider !== undefined && one.provider !== provider) ||
          (credentialId !== undefined && one.credentialId !== credentialId) ||
          (model !== undefined && one.model !== model) ||
          (setBefore !== undefined && one.since >= Math.round(setBefore)),
      );
      if (left.length < cooldowns.length) disk.write({ ...disk.content, cooldowns: left }, true);
      return cooldowns.length - left.length;
    },
  };
}

/** The three parts of a cooldown's key as one string. */
export function keyOf({
  provider,
  credentialId,
  model,
}: Pick<Cooldown, "provider" | "credentialId" | "model">): string {
  return `${provider} ${credentialId} ${model}`;
}
