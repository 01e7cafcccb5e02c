import type { Reason } from "../core/failure.ts";
import type { UnderstudyError } from "../core/error.ts";

/** What the program's exit says. Part of its contract: a script may rely on every number. */
export const exitCodes = {
  done: 0,
  /** Nobody could answer now, a sign-in did not complete, or something unexpected. May work later. */
  failed: 1,
  /** Wrong usage, wrong configuration, or a question that could not be asked without a terminal. */
  usage: 2,
  /** Only a person can help; the message names the command. */
  needsPerson: 3,
  /** The request itself was refused: nobody else would answer differently. */
  refused: 4,
  /** The answer broke off after its beginning. */
  cut: 5,
  /** The store can't be read or written. */
  store: 6,
  /** Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For `--help`. */
export const exitCodeHelp = `Exit codes:
  0 done · 1 failed, may work later · 2 wrong usage or configuration · 3 a person must act, the message says how
  4 the request was refused · 5 the answer broke off · 6 the store can't be used · 130 interrupted`;

/** The exit code that an error ends the program with. */
export function exitCodeOf(error: UnderstudyError): ExitCode {
  switch (error.code) {
    case "usage":
    case "config_invalid":
    case "route_unknown":
    case "credential_unknown":
      return exitCodes.usage;
    case "turn_failed":
      return needsPerson(error) ? exitCodes.needsPerson : exitCodes.failed;
    case "relogin_required":
      return exitCodes.needsPerson;
    case "login_failed":
    case "refresh_failed":
      return exitCodes.failed;
    case "request_refused":
      return exitCodes.refused;
    case "answer_cut":
      return exitCodes.cut;
    case "store_unavailable":
    case "store_newer":
      return exitCodes.store;
    case "cancelled":
      return exitCodes.interrupted;
  }
}

/** What only a person mends: a login, a bill, a name. */
const personalReasons: ReadonlySet<Reason> = new Set([
  "relogin_required",
  "auth",
  "billing",
  "entitlement",
  "model_not_found",
]);

/** False when somebody recovers without help: then waiting is all that is asked. */
function needsPerson({ facts }: UnderstudyError): boolean {
  if (facts.retryAt !== undefined) return false;
  return facts.command !== undefined || (facts.failure !== undefined && personalReasons.has(facts.failure.reason));
}
