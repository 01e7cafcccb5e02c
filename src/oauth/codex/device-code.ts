import { Secret } from "../../core/secret.ts";
import { answerFailure, exchangeCode, loginTimeoutMs } from "../code-exchange.ts";
import { parseAnswerBody, readPrintable, readText } from "../answer-body.ts";
import { readErrorAnswer } from "../error-answer.ts";
import { exchange, isSuccess, postRequest, type Ports } from "../exchange.ts";
import { type LoginResult, loginFailure, networkLoginFailure } from "../login-failure.ts";
import { patientExchange } from "../patient-exchange.ts";
import { type PollStep, pollUntil } from "../poll-loop.ts";
import { readSeconds, type TokenSet } from "../token-answer.ts";
import { codexEndpoints } from "./endpoints.ts";

/**
 * OpenAI's device login. It is not RFC 8628: the server makes the PKCE pair, "pending" is a 403 or 404, and what the poll
 * gives is an authorization code that is then exchanged.
 *
 *   start ──▶ a person opens the page and types the code ──▶ poll … poll ──▶ code + verifier ──▶ exchange ──▶ tokens
 */
export interface DeviceLogin {
  /** What the person types. */
  readonly userCode: string;
  readonly deviceAuthId: Secret;
  /** What the person opens. */
  readonly verificationUrl: string;
  readonly intervalMs: number;
  /** Unix ms. */
  readonly expiresAt: number;
}

/** Where to sign in. `signal` ends the waiting, never the exchange of a code. */
export interface CodexLoginOptions extends Ports {
  /** Origin of the sign-in server. */
  readonly issuer: string;
  readonly clientId: string;
  readonly signal?: AbortSignal;
}

/** How long a code can be confirmed, in ms. OpenAI's page says so; its answer doesn't. */
export const deviceLoginLifetimeMs: number = 15 * 60_000;

/** Polls when the server does not say how often, in ms. */
const defaultIntervalMs = 5_000;
/** No faster and no slower than this, whatever the server says, in ms. */
const intervalBoundsMs = { least: 1_000, most: 60_000 } as const;

/** Asks for a code. A 429 is waited out up to 4 tries, a server that can't be reached is tried 3 times. */
export async function startDeviceLogin(options: CodexLoginOptions): Promise<LoginResult<DeviceLogin>> {
  const { clock, issuer, clientId, signal } = options;
  const { deviceStart, devicePage } = codexEndpoints(issuer);
  const outcome = await patientExchange(options, postRequest(deviceStart, "json", { client_id: clientId }), {
    timeoutMs: loginTimeoutMs,
    repeatable: true,
    ...(signal === undefined ? {} : { signal }),
  });
  if (outcome.kind !== "answered") return networkLoginFailure(outcome, deviceStart);
  const { answer } = outcome;
  if (answer.status === 404) {
    const message = "device login is not enabled for this account or server; sign in with the browser instead";
    return loginFailure("not_enabled", message, { status: 404 });
  }
  if (!isSuccess(answer.status)) {
    return answerFailure(readErrorAnswer(answer, clock.now()), "the sign-in server gave no device code");
  }
  const fields = parseAnswerBody(answer.text) ?? {};
  const userCode = readPrintable(fields["user_code"]) ?? readPrintable(fields["usercode"]);
  const deviceAuthId = readText(fields["device_auth_id"]);
  if (userCode === null || deviceAuthId === null) {
    return loginFailure("incomplete", "the sign-in server's answer holds no device code", { status: answer.status });
  }
  return {
    ok: true,
    value: {
      userCode,
      deviceAuthId: new Secret(deviceAuthId),
      verificationUrl: devicePage,
      intervalMs: readIntervalMs(fields["interval"]),
      expiresAt: clock.now() + deviceLoginLifetimeMs,
    },
  };
}

/**
 * Waits until the person has confirmed, then fetches the tokens. `signal` ends the waiting; the exchange at the end is
 * not cut short.
 */
export async function pollDeviceLogin(options: CodexLoginOptions, login: DeviceLogin): Promise<LoginResult<TokenSet>> {
  const { clock, transport, issuer, clientId, signal, onWait } = options;
  const { token, deviceRedirect } = codexEndpoints(issuer);
  const confirmed = await pollUntil({
    clock,
    intervalMs: login.intervalMs,
    expiresAt: login.expiresAt,
    poll: () => pollOnce(options, login),
    ...(onWait === undefined ? {} : { onWait }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!confirmed.ok) return confirmed;
  return exchangeCode({
    transport,
    clock,
    ...(onWait === undefined ? {} : { onWait }),
    endpoint: token,
    clientId,
    redirectUri: deviceRedirect,
    ...confirmed.value,
  });
}

interface Confirmation {
  readonly code: Secret;
  readonly verifier: Secret;
}

/**
 * 403 and 404: pending. 429: busy. 401: the person refused. 5xx, no answer, an answer that can't be read: trouble. Any other
 * status ends it.
 */
async function pollOnce(options: CodexLoginOptions, login: DeviceLogin): Promise<PollStep<Confirmation>> {
  const { devicePoll } = codexEndpoints(options.issuer);
  const body = { device_auth_id: login.deviceAuthId.reveal(), user_code: login.userCode };
  const outcome = await exchange(options, postRequest(devicePoll, "json", body), loginTimeoutMs, options.signal);
  if (outcome.kind === "cancelled") return { step: "done", result: networkLoginFailure(outcome, devicePoll) };
  if (outcome.kind !== "answered")
    return { step: "trouble", failure: networkLoginFailure(outcome, devicePoll).failure };
  const { answer } = outcome;
  const { status } = answer;
  if (status === 403 || status === 404) return { step: "pending" };
  const said = readErrorAnswer(answer, options.clock.now(), [login.deviceAuthId]);
  const failed = answerFailure(said, "the sign-in server refused the device login");
  if (status === 429) return { step: "busy", retryAt: said.retryAt };
  if (status === 401) {
    return { step: "done", result: loginFailure("declined", "the sign-in was declined in the browser", { status }) };
  }
  const fields = parseAnswerBody(answer.text);
  if (status >= 500 || (isSuccess(status) && fields === null)) return { step: "trouble", failure: failed.failure };
  if (!isSuccess(status) || fields === null) return { step: "done", result: failed };
  const code = readText(fields["authorization_code"]);
  const verifier = readText(fields["code_verifier"]);
  if (code === null || verifier === null) {
    const message = "the sign-in server confirmed the login, but its answer holds no authorization code";
    return { step: "done", result: loginFailure("incomplete", message, { status }) };
  }
  return { step: "done", result: { ok: true, value: { code: new Secret(code), verifier: new Secret(verifier) } } };
}

/** OpenAI sends a string that holds an integer; a number is accepted too. Seconds there, ms here. */
function readIntervalMs(interval: unknown): number {
  const seconds = readSeconds(interval);
  if (seconds === null) return defaultIntervalMs;
  return Math.min(Math.max(seconds * 1_000, intervalBoundsMs.least), intervalBoundsMs.most);
}
