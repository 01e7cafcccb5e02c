import { UnderstudyError } from "../core/error.ts";
import type { LoginFailure, LoginFailureCode } from "../oauth/login-failure.ts";
import type { Provider } from "./provider.ts";

/** What helps after a sign-in came to nothing, as the options behind `understudy auth add ID`; null when only waiting does. */
const remedies: Readonly<Record<LoginFailureCode, string | null>> = {
  not_enabled: "--browser",
  rate_limited: null,
  declined: "",
  not_entitled: "--force-new-login",
  expired: "",
  unreachable: null,
  refused: null,
  incomplete: null,
  state_mismatch: "",
  untrusted: null,
  cancelled: null,
};

/** The error of a sign-in that came to nothing: whose, why in plain words, and the command that helps, if one does. */
export function loginError(provider: Provider, failure: LoginFailure, now: number): UnderstudyError {
  const remedy = remedies[failure.code];
  const again =
    failure.retryAt === undefined ? "" : `; try again in ${Math.max(1, Math.ceil((failure.retryAt - now) / 1_000))} s`;
  const code = failure.code === "cancelled" ? "cancelled" : "login_failed";
  return new UnderstudyError(code, `${provider.name}: ${failure.message}${again}`, {
    provider: provider.id,
    providerCode: failure.providerCode ?? failure.code,
    ...(failure.status === undefined ? {} : { status: failure.status }),
    ...(failure.retryAt === undefined ? {} : { retryAt: failure.retryAt }),
    ...(remedy === null ? {} : { command: `understudy auth add ${provider.id} ${remedy}`.trim() }),
  });
}
