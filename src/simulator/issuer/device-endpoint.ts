import { jsonReply, type Reply } from "../reply.ts";
import type { SimulatedAccount } from "./account.ts";
import type { DeviceCode } from "./device-codes.ts";
import { flatError, nestedError } from "./issuer-errors.ts";
import type { IssuerState } from "./issuer-state.ts";
import { challengeOf } from "./token-endpoint.ts";

/** `POST /api/accounts/deviceauth/usercode` with `{client_id}`. */
export function answerUsercode(state: IssuerState, fields: Readonly<Record<string, unknown>>): Reply {
  state.counters.usercodes += 1;
  const { clientId, pollInterval } = state.settings;
  if (typeof fields.client_id !== "string" || (clientId !== null && fields.client_id !== clientId)) {
    return flatError(401, "invalid_client", "The client is not known.");
  }
  const code = state.deviceCodes.create(state.now(), fields.client_id);
  return jsonReply(200, { device_auth_id: code.deviceAuthId, user_code: code.userCode, interval: pollInterval });
}

/**
 * `POST /api/accounts/deviceauth/token` with `{device_auth_id, user_code}`. 403 or 404 while the person has not answered, also
 * after the 15 minutes of the code: a client ends by its own clock.
 */
export function answerPoll(state: IssuerState, fields: Readonly<Record<string, unknown>>): Reply {
  state.counters.polls += 1;
  const { settings } = state;
  const code = typeof fields.user_code === "string" ? state.deviceCodes.find(fields.user_code) : null;
  if (code === null || code.deviceAuthId !== fields.device_auth_id) return unknownDevice(404);
  code.polls += 1;
  if (code.state === "pending" && settings.autoApprove !== null && code.polls > settings.approveAfterPolls) {
    approve(state, code, settings.autoApprove);
  }
  if (code.state === "declined") return jsonReply(401, { error: "authorization_declined" });
  if (code.authorizationCode === null || code.codeVerifier === null) return unknownDevice(settings.pendingStatus);
  return jsonReply(200, {
    authorization_code: code.authorizationCode,
    code_challenge: challengeOf(code.codeVerifier),
    code_verifier: code.codeVerifier,
  });
}

/** A person entered the code and agreed. The issuer makes the PKCE pair on this path. */
export function approve(state: IssuerState, code: DeviceCode, account: SimulatedAccount): void {
  if (code.state !== "pending") throw new Error(`the device code ${code.userCode} was already ${code.state}`);
  code.state = "approved";
  code.account = account;
  code.codeVerifier = state.ids.next("", 64);
  code.authorizationCode = state.ids.next("ac_", 32);
  state.hide(code.codeVerifier, `code verifier of ${account.name}`);
  state.hide(code.authorizationCode, `authorization code of ${account.name}`);
  state.authorizationCodes.set(code.authorizationCode, {
    account,
    clientId: code.clientId,
    redirectUri: `${state.origin()}/deviceauth/callback`,
    codeChallenge: challengeOf(code.codeVerifier),
    used: false,
  });
}

function unknownDevice(status: 403 | 404): Reply {
  return nestedError(status, "deviceauth_authorization_unknown", "Device authorization is unknown. Please try again.");
}
