import type { Decision } from "../core/decide.ts";
import type { Failure, Reason } from "../core/failure.ts";
import { formatTarget } from "../core/target.ts";
import { shellWord } from "../core/shell-word.ts";
import type { Credential } from "../credentials/credential.ts";
import { ownRowPrefix } from "../failures/row.ts";
import type { Provider } from "../providers/provider.ts";
import type { BlockedCandidate } from "./candidates.ts";

/**
 * What a person reads when something does not work (rule R12): which credential, the cause in plain words, and one command
 * that exists.
 */
export interface Advice {
  readonly cause: string;
  /** Null when waiting, or nothing, is all that helps. */
  readonly command: string | null;
}

const causes: Readonly<Record<Reason, string>> = {
  relogin_required: "sign in again",
  auth: "the provider did not accept the login",
  entitlement: "this account may not use this model",
  billing: "no credit left, or the bill is not paid",
  quota: "the plan's limit is reached",
  rate_limit: "too many requests just now",
  overloaded: "the provider is overloaded",
  server_error: "the provider failed",
  timeout: "the provider did not answer in time",
  network: "the provider can't be reached",
  blocked: "a firewall in front of the provider refused the request",
  model_not_found: "the provider does not know this model",
  context_overflow: "the conversation is too long for this model",
  payload_too_large: "the request is too large",
  content_policy: "the provider refused the content",
  invalid_request: "the provider can't read the request",
  invalid_encrypted_content: "the provider can't read reasoning that another account made",
  incomplete: "the answer broke off",
  cancelled: "cancelled",
  unknown: "the provider failed in an unknown way",
};

/** Where the row says more than the reason. */
const causesByRow: Readonly<Record<string, string>> = {
  "key-unreadable": "its key can't be read",
  "no-base-url": "it has no address to call",
  "request-unwritable": "it can't be asked this",
  network: "the connection to the provider broke",
  "network-words": "the connection to the provider broke",
};

/** A reason in plain words. */
export function describeReason(reason: Reason): string {
  return causes[reason];
}

/** The cause of a failure in plain words, with the provider's own words behind it and when it ends. */
export function describeFailure(failure: Failure, now: number): string {
  const until = failure.retryAt === undefined ? "" : `, until ${describeTime(failure.retryAt, now)}`;
  const said = failure.message === "" ? "" : ` (${failure.message})`;
  return `${causesByRow[failure.row] ?? causes[failure.reason]}${until}${said}`;
}

/** The same of an answer that its caller had seen some of. */
export function describeCut(failure: Failure, now: number): string {
  const cause = describeFailure(failure, now);
  return cause.startsWith(causes.incomplete) ? cause : `${causes.incomplete}: ${cause}`;
}

/**
 * What a person can do about it: sign in (or add a key); see which models there are; or, once a bill is paid, end the rest at once. What is
 * missing heals by itself, is the caller's own, or has to be mended elsewhere.
 */
const repairs: Readonly<Partial<Record<Reason, "sign_in" | "models" | "reset">>> = {
  relogin_required: "sign_in",
  auth: "sign_in",
  entitlement: "models",
  model_not_found: "models",
  billing: "reset",
};

/** Whom a repair is for. */
export type RepairFor = Pick<Credential, "kind" | "label">;

/** The one command that repairs it, or null. What can't be read (`key-unreadable`) names itself, and no command of ours mends it. */
export function repairCommand(failure: Failure, provider: string, credential: RepairFor): string | null {
  if (failure.row === "key-unreadable") return null;
  return repairByReason(failure.reloginRequired ? "relogin_required" : failure.reason, provider, credential);
}

function repairByReason(reason: Reason, provider: string, credential: RepairFor): string | null {
  switch (repairs[reason]) {
    case "sign_in":
      return signInCommand(provider, credential);
    case "models":
      return `understudy models ${provider}`;
    case "reset":
      return `understudy auth reset ${provider} ${shellWord(credential.label)}`;
    case undefined:
      return null;
  }
}

/** How to sign in to a provider, or add a key; anew, in place of the login that `credential` is. */
export function signInCommand(provider: string, credential?: Pick<Credential, "kind">): string {
  return `understudy auth add ${provider}${credential?.kind === "oauth" ? " --force-new-login" : ""}`;
}

/** What was decided, in words. */
export function describeDecision(decision: Decision): string {
  switch (decision.action) {
    case "stop":
      return "stop: nobody else would answer differently";
    case "give_up":
      return "nobody is left";
    case "retry":
      return `the same again in ${(decision.delayMs / 1_000).toFixed(1)} s`;
    case "refresh":
      return "refresh its token, then the same again";
    case "repair":
      return "take out what was refused, then the same again";
    case "next_credential":
      return "the next login of this provider";
    case "next_target":
      return "the next provider";
    case "wait":
      return `wait until ${new Date(decision.untilMs).toTimeString().slice(0, 8)}`;
  }
}

/** Why a candidate is not used now. */
export function describeBlocked(candidate: BlockedCandidate, provider: Provider | null, now: number): Advice {
  const { target } = candidate;
  switch (candidate.why) {
    case "no_provider":
      return { cause: `no provider is called ${target.provider}`, command: "understudy config check" };
    case "no_credential": {
      if (target.credential !== undefined) {
        const login = provider?.signIn.kind !== "api_key" ? " --force-new-login" : "";
        return {
          cause: `the route wants the credential ${target.credential}, and there is none of that name`,
          command: `${signInCommand(target.provider)}${login} --label ${shellWord(target.credential)}`,
        };
      }
      const variable = provider?.signIn.kind === "api_key" ? provider.signIn.env[0] : undefined;
      return {
        cause: variable === undefined ? "no credential" : `no credential, and ${variable} is not set`,
        command: signInCommand(target.provider),
      };
    }
    case "blocked":
      break;
  }
  const { blocked } = candidate;
  switch (blocked.why) {
    case "paused":
      return {
        cause: "paused by hand",
        command: `understudy auth resume ${target.provider} ${shellWord(blocked.credential.label)}`,
      };
    case "relogin_required":
      return {
        cause: `sign in again: ${blocked.message}, since ${describeTime(blocked.since, now)}`,
        command: signInCommand(target.provider, blocked.credential),
      };
    case "cooling": {
      const { cooldown } = blocked;
      if (cooldown.reason === "relogin_required") {
        return {
          cause: `sign in again: ${cooldown.message}, since ${describeTime(cooldown.since, now)}`,
          command: signInCommand(target.provider, blocked.credential),
        };
      }
      const until = describeTime(cooldown.until, now);
      const since = describeTime(cooldown.since, now);
      return {
        cause: `${causes[cooldown.reason]}, until ${until}, since ${since}`,
        command: repairByReason(cooldown.reason, target.provider, blocked.credential),
      };
    }
  }
}

/** `codex/gpt-5.5 · work`. */
export function describeCandidate(candidate: BlockedCandidate): string {
  const target = formatTarget(candidate.target);
  return candidate.why === "blocked" ? `${target} · ${candidate.blocked.credential.label}` : target;
}

/** `14:03`, or `Tue 14:03` or the date when it is not today, with how far away it is. */
export function describeTime(unixMs: number, now: number): string {
  const at = new Date(unixMs);
  const today = new Date(now);
  const clock = at.toTimeString().slice(0, 5);
  const day =
    at.toDateString() === today.toDateString()
      ? clock
      : `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${clock}`;
  const away = describeDuration(Math.abs(unixMs - now));
  return unixMs >= now ? `${day} (in ${away})` : `${day} (${away} ago)`;
}

/** `2 h 5 min`, `3 d 4 h`, `12 s`: the two largest units, rounded up to whole seconds. */
export function describeDuration(ms: number): string {
  const total = Math.ceil(ms / 1_000);
  const days = Math.floor(total / 86_400);
  const hours = Math.floor((total % 86_400) / 3_600);
  const minutes = Math.floor((total % 3_600) / 60);
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return `${minutes} min`;
  return `${total} s`;
}

/** The row that decided, for a person: whether it is of the failure table (docs/errors.md) or of their own configuration. */
export function describeRow(row: string): string {
  return row.startsWith(ownRowPrefix)
    ? `your row ${row.slice(ownRowPrefix.length)} (failures: in the configuration)`
    : `row ${row}`;
}
