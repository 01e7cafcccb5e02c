import type { Command } from "commander";
import { UnderstudyError } from "../../../core/error.ts";
import type { Failure } from "../../../core/failure.ts";
import type { OAuthCredential } from "../../../credentials/credential.ts";
import { isAlive } from "../../../credentials/token-window.ts";
import { describeTime, signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { requireCredential } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { interruptSignal } from "../../interrupt.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { colors, say } from "../../output.ts";

const examples = `
Turns do this by themselves when it is time. By hand it is for finding out whether a login still holds.

Examples:
  $ understudy auth refresh codex
  $ understudy auth refresh codex work
`;

export function refreshCommand(command: Command): void {
  command
    .argument("<provider>", "id or alias of a provider")
    .argument("[credential]", "id, label or number; default: every login of the provider")
    .option("--force", "also where the answer to the last refresh was lost while the token still lives")
    .addHelpText("after", examples)
    .action((name: string, target: string | undefined, options: { force?: boolean }) =>
      withWorkspace(async (workspace) => {
        const pool = await requirePool(workspace, name);
        const chosen = target === undefined ? pool.credentials : [requireCredential(pool, target)];
        const logins = chosen.filter((one): one is OAuthCredential => one.kind === "oauth");
        if (logins.length === 0) {
          throw new UnderstudyError("usage", `${pool.providerId} has no login that could be refreshed`, {
            command: signInCommand(pool.providerId),
          });
        }
        const failures: UnderstudyError[] = [];
        for (const login of logins) {
          const error = await refresh(workspace, login, options.force === true);
          if (error !== null) failures.push(error);
        }
        // The one that needs a person decides the exit code.
        const worst = failures.find(({ code }) => code === "relogin_required") ?? failures[0];
        for (const error of failures) if (error !== worst) say(error.message);
        if (worst !== undefined) throw worst;
      }),
    );
}

async function refresh(
  { keeper, clock }: Workspace,
  login: OAuthCredential,
  force: boolean,
): Promise<UnderstudyError | null> {
  const now = clock.now();
  const name = `${login.provider} · ${login.label}`;
  const lost = login.unknownOutcome?.generation === login.grant.generation;
  if (lost && isAlive(login.grant, now) && !force) {
    say(
      `${name}: the answer to its last refresh was lost. Its token still lives, so the next one is not risked; --force does.`,
    );
    return null;
  }
  const result = await keeper.replaceRejected(login, interruptSignal);
  if (!result.ok) return refreshError(login, result.failure, now);
  const { expiresAt } = result.credential.grant;
  say(
    `${colors.bold(name)}: ${expiresAt === null ? "a new token" : `a new token, good until ${describeTime(expiresAt, now)}`}.`,
  );
  return null;
}

function refreshError(login: OAuthCredential, failure: Failure, now: number): UnderstudyError {
  const { reloginRequired, retryAt, status, message } = failure;
  const again = retryAt === undefined ? "" : `; again from ${describeTime(retryAt, now)}`;
  return new UnderstudyError(
    reloginRequired ? "relogin_required" : "refresh_failed",
    `${login.provider} · ${login.label}: ${message}${again}`,
    {
      provider: login.provider,
      credential: login.label,
      failure,
      reloginRequired,
      ...(status === undefined ? {} : { status }),
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(reloginRequired ? { command: signInCommand(login.provider, login) } : {}),
    },
  );
}
