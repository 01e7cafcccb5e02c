import { Secret } from "../core/secret.ts";
import { parseAnswerBody, readPrintable, readText } from "./answer-body.ts";
import { answerFailure, loginTimeoutMs, readLoginTokens } from "./code-exchange.ts";
import { isSecureEndpoint } from "./endpoint.ts";
import { readErrorAnswer } from "./error-answer.ts";
import { exchange, isSuccess, postRequest, type Ports } from "./exchange.ts";
import { type LoginResult, loginFailure, networkLoginFailure } from "./login-failure.ts";
import { patientExchange } from "./patient-exchange.ts";
import { type PollStep, pollUntil } from "./poll-loop.ts";
import { readSeconds, readTokenAnswer, type TokenSet } from "./token-answer.ts";

/** The device authorization grant as the standard has it (RFC 8628), for a public client. */
export interface DeviceAuthorization {
  readonly deviceCode: Secret;
  /** What the person types. */
  readonly userCode: string;
  /** What the person opens. */
  readonly verificationUrl: string;
  /** The same with the code in it, for a QR code; null when the server gave none. */
  readonly completeVerificationUrl: string | null;
  readonly intervalMs: number;
  /** Unix ms. */
  readonly expiresAt: number;
}

/** Who asks. `signal` ends the waiting. */
export interface DeviceGrantOptions extends Ports {
  readonly clientId: string;
  readonly signal?: AbortSignal;
}

const grantType = "urn:ietf:params:oauth:grant-type:device_code";

/** RFC 8628 §3.2, in seconds. */
const defaultIntervalS = 5;
/** For a server that leaves out the required `expires_in`, in seconds. */
const defaultLifetimeS = 900;

/** Asks for a code at the device authorization endpoint. `scope` is blank-separated; empty leaves it out. */
export async function requestDeviceAuthorization(
  options: DeviceGrantOptions & { readonly endpoint: string; readonly scope: string },
): Promise<LoginResult<DeviceAuthorization>> {
  const { clock, endpoint, clientId, scope, signal } = options;
  const request = postRequest(endpoint, "form", { client_id: clientId, ...(scope === "" ? {} : { scope }) });
  const outcome = await patientExchange(options, request, {
    timeoutMs: loginTimeoutMs,
    repeatable: true,
    ...(signal === undefined ? {} : { signal }),
  });
  if (outcome.kind !== "answered") return networkLoginFailure(outcome, endpoint);
  const { answer } = outcome;
  if (!isSuccess(answer.status)) {
    return answerFailure(readErrorAnswer(answer, clock.now()), "the sign-in server gave no device code");
  }
  const fields = parseAnswerBody(answer.text) ?? {};
  const deviceCode = readText(fields["device_code"]);
  const userCode = readPrintable(fields["user_code"]);
  // `verification_url` is Google's spelling, older than the RFC.
  const verificationUrl = readPrintable(fields["verification_uri"]) ?? readPrintable(fields["verification_url"]);
  if (deviceCode === null || userCode === null || verificationUrl === null) {
    return loginFailure("incomplete", "the sign-in server's answer holds no device code", { status: answer.status });
  }
  // A person's browser is sent there: not to a file, not to a script.
  if (!isSecureEndpoint(verificationUrl)) {
    return loginFailure("untrusted", "the page that the sign-in server names for the code is not an https address");
  }
  const complete = readPrintable(fields["verification_uri_complete"]);
  return {
    ok: true,
    value: {
      deviceCode: new Secret(deviceCode),
      userCode,
      verificationUrl,
      completeVerificationUrl: complete !== null && isSecureEndpoint(complete) ? complete : null,
      intervalMs: Math.max(1, readSeconds(fields["interval"]) ?? defaultIntervalS) * 1_000,
      expiresAt: clock.now() + (readSeconds(fields["expires_in"]) ?? defaultLifetimeS) * 1_000,
    },
  };
}

/** Polls the token endpoint until the person has confirmed or refused, or the code has expired. */
export async function pollDeviceGrant(
  options: DeviceGrantOptions & { readonly tokenEndpoint: string },
  authorization: DeviceAuthorization,
): Promise<LoginResult<TokenSet>> {
  const { clock, signal, onWait } = options;
  return pollUntil({
    clock,
    intervalMs: authorization.intervalMs,
    expiresAt: authorization.expiresAt,
    poll: () => pollOnce(options, authorization.deviceCode),
    ...(onWait === undefined ? {} : { onWait }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function pollOnce(
  options: DeviceGrantOptions & { readonly tokenEndpoint: string },
  deviceCode: Secret,
): Promise<PollStep<TokenSet>> {
  const { clock, tokenEndpoint, clientId, signal } = options;
  const fields = { grant_type: grantType, device_code: deviceCode.reveal(), client_id: clientId };
  const outcome = await exchange(options, postRequest(tokenEndpoint, "form", fields), loginTimeoutMs, signal);
  if (outcome.kind === "cancelled") return { step: "done", result: networkLoginFailure(outcome, tokenEndpoint) };
  if (outcome.kind !== "answered") {
    return { step: "trouble", failure: networkLoginFailure(outcome, tokenEndpoint).failure };
  }
  const answer = readTokenAnswer(outcome.answer, clock.now(), [deviceCode]);
  if (answer.kind === "error" || answer.kind === "unreadable") {
    const { failure } = answerFailure(answer, "the sign-in server refused the device login");
    // The code decides before the status: GitHub says `authorization_pending` with 200.
    if (answer.kind === "error" && answer.code === "authorization_pending") return { step: "pending" };
    if (answer.kind === "error" && answer.code === "slow_down") return { step: "slow_down" };
    if (answer.status === 429) return { step: "busy", retryAt: answer.retryAt };
    if (answer.status >= 500 || (answer.kind === "unreadable" && isSuccess(answer.status))) {
      return { step: "trouble", failure };
    }
    return { step: "done", result: { ok: false, failure } };
  }
  return { step: "done", result: readLoginTokens(answer) };
}
