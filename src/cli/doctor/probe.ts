import type { Credential } from "../../credentials/credential.ts";
import { assessPool } from "../../credentials/pool.ts";
import type { Provider } from "../../providers/provider.ts";
import { askProvider } from "../../turn/ask-provider.ts";
import { describeDuration, describeFailure, repairCommand } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import { readPool } from "../find-provider.ts";
import { interruptSignal } from "../interrupt.ts";
import { modelsUrl } from "../../list-models.ts";
import { type Finding, finding } from "./finding.ts";

/** A clock that is off by more than this breaks sign-ins and makes tokens look dead or alive, in ms. */
const clockToleranceMs: number = 2 * 60_000;

/**
 * Asks every provider in use for its models, once with each login and key that could serve: no model is called, nothing rests for it.
 * On the way the machine's clock is compared with theirs.
 */
export async function probe(workspace: Workspace): Promise<Finding[]> {
  const { config, store, clock } = workspace;
  const routed = new Set(config.routes.flatMap(({ targets }) => targets.map(({ provider }) => provider)));
  const stored = new Set((await store.listCredentials()).map(({ provider }) => provider));
  const cooldowns = await store.listCooldowns();
  const pairs: [Provider, Credential][] = [];
  for (const provider of config.providers.filter(({ id }) => routed.has(id) || stored.has(id))) {
    const { credentials } = await readPool(workspace, provider.id);
    const { usable } = assessPool(credentials, cooldowns, "", clock.now());
    pairs.push(...usable.map((credential): [Provider, Credential] => [provider, credential]));
  }
  const skews: number[] = [];
  const findings = await Promise.all(
    pairs.map(async ([provider, credential]) => {
      const check = `${provider.id} · ${credential.label}`;
      const sentAt = clock.now();
      const answer = await askProvider(workspace.runtime, {
        provider,
        credential,
        url: (baseUrl, isMessages) => modelsUrl(provider, baseUrl, isMessages),
        signal: interruptSignal,
      });
      const now = clock.now();
      if (!answer.ok) {
        const words = describeFailure(answer.failure, now);
        return finding(check, "broken", words, repairCommand(answer.failure, provider.id, credential));
      }
      const theirs = Date.parse(answer.headers["date"] ?? "");
      if (!Number.isNaN(theirs)) skews.push((sentAt + now) / 2 - theirs);
      return finding(check, "ok", `answers, within ${describeDuration(Math.max(now - sentAt, 1))}`);
    }),
  );
  return [...findings, ...describeSkew(skews)];
}

/** The middle one: a single server's clock may be off, too. */
function describeSkew(skews: readonly number[]): Finding[] {
  const skew = skews.toSorted((a, b) => a - b)[Math.floor(skews.length / 2)];
  if (skew === undefined) return [];
  if (Math.abs(skew) <= clockToleranceMs) return [finding("clock", "ok", "agrees with the providers'")];
  const words = `this machine's clock is ${describeDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the providers': set it right`;
  return [finding("clock", "broken", words)];
}
