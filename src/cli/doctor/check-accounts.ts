import { join } from "node:path";
import { strategyFor } from "../../config/resolve.ts";
import { isUnderstudyError } from "../../core/error.ts";
import { formatTarget } from "../../core/target.ts";
import { readCodexFile } from "../../credentials/imports/codex.ts";
import { needsRelogin, type OAuthCredential } from "../../credentials/credential.ts";
import { foreignFolder, readForeignFile } from "../../platform/foreign-files.ts";
import { ignoredVariables } from "../../providers/environment.ts";
import { describeBlocked, describeTime, signInCommand } from "../../turn/advice.ts";
import { listCandidates } from "../../turn/candidates.ts";
import type { Workspace } from "../../workspace.ts";
import { viewPool } from "../credential-view.ts";
import { readPool } from "../find-provider.ts";
import { type Finding, finding } from "./finding.ts";

/** Routes, logins, keys and variables, as they stand in the store and the environment. Calls nobody. */
export async function checkAccounts(workspace: Workspace): Promise<Finding[]> {
  return [
    ...(await checkRoutes(workspace)),
    ...(await checkPools(workspace)),
    ...(await checkSharedLogins(workspace)),
    ...checkVariables(workspace),
  ];
}

async function checkRoutes({ config, runtime, clock }: Workspace): Promise<Finding[]> {
  if (config.routes.length === 0) {
    return [
      finding("routes", "warning", "none is configured: ask with --route provider/model, or", "understudy model"),
    ];
  }
  const now = clock.now();
  return Promise.all(
    config.routes.map(async (route) => {
      const { line, blocked, nearestRecovery } = await listCandidates(runtime, route);
      const { current } = line;
      const check = `route ${route.name}`;
      if (current !== null) {
        const first = route.targets[0];
        const isPrimary = first !== undefined && current.target === first;
        return isPrimary
          ? finding(check, "ok", `${formatTarget(current.target)} · ${current.credential.label} is ready`)
          : finding(check, "warning", `its primary is not ready; ${formatTarget(current.target)} takes over`);
      }
      if (nearestRecovery !== null)
        return finding(check, "warning", `nobody is ready until ${describeTime(nearestRecovery, now)}`);
      const [one] = blocked;
      const advice = one === undefined ? null : describeBlocked(one, runtime.findProvider(one.target.provider), now);
      return finding(
        check,
        "broken",
        `nobody can answer: ${advice?.cause ?? "it has no target"}`,
        advice?.command ?? null,
      );
    }),
  );
}

async function checkPools(workspace: Workspace): Promise<Finding[]> {
  const { config, store, clock, runtime } = workspace;
  const stored = await store.listCredentials();
  const cooldowns = await store.listCooldowns();
  const now = clock.now();
  const findings: Finding[] = [];
  for (const id of new Set(stored.map(({ provider }) => provider))) {
    if (runtime.findProvider(id) === null) {
      findings.push(
        finding(
          id,
          "warning",
          "has logins or keys here, and is no longer in the configuration",
          "understudy config edit",
        ),
      );
      continue;
    }
    for (const view of viewPool(await readPool(workspace, id), cooldowns, strategyFor(config, id), now)) {
      const check = `${id} · ${view.label}`;
      if (view.state === "relogin_required") findings.push(finding(check, "broken", view.words, view.command));
      else if (view.state !== "ready" || view.command !== null) {
        findings.push(finding(check, "warning", view.words, view.command));
      } else if (view.words !== "ready") findings.push(finding(check, "warning", view.words));
    }
  }
  if (stored.length > 0 && findings.length === 0)
    findings.push(
      finding(
        "logins",
        "ok",
        stored.length === 1 ? "the one that is stored is ready" : `all ${stored.length} are ready`,
      ),
    );
  return findings;
}

/** A login whose token the Codex CLI holds, too: sooner or later one of the two is signed out. */
async function checkSharedLogins({ store, env }: Workspace): Promise<Finding[]> {
  let text: string | null = null;
  try {
    text = await readForeignFile(join(await foreignFolder("codex", env), "auth.json"));
  } catch {
    // It can't be read: then nothing is known of it.
  }
  const read = text === null ? null : readCodexFile(text);
  if (read === null || !read.ok) return [];
  const theirs = read.found.credentials.flatMap((one) =>
    one.kind === "login" && one.refreshToken !== null ? [one.refreshToken] : [],
  );
  const logins = (await store.listCredentials()).filter((one): one is OAuthCredential => one.kind === "oauth");
  return logins
    .filter((login) => !needsRelogin(login) && theirs.some((token) => token.equals(login.grant.refreshToken)))
    .map((login) =>
      finding(
        `${login.provider} · ${login.label}`,
        "warning",
        "shares its single-use refresh token with the Codex CLI: whoever refreshes second is signed out",
        signInCommand(login.provider, login),
      ),
    );
}

function checkVariables({ config, env }: Workspace): Finding[] {
  return ignoredVariables(config.providers, env).map(({ provider, name, reason }) =>
    finding(provider, "warning", `$${name} is not used: ${reason}`),
  );
}

/** The finding for what keeps the installation from being opened at all. */
export function cannotOpen(check: string, error: unknown): Finding {
  if (!isUnderstudyError(error)) throw error;
  return finding(
    check,
    "broken",
    error.message,
    error.facts.command ?? (error.code === "config_invalid" ? "understudy config edit" : null),
  );
}
