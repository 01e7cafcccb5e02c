import type { CancelSignal } from "../core/cancel.ts";
import { UnderstudyError } from "../core/error.ts";
import type { Failure } from "../core/failure.ts";
import type { Target } from "../core/target.ts";
import type { Credential } from "../credentials/credential.ts";
import type { TokenResult } from "../credentials/keeper.ts";
import { classifyFailure } from "../failures/classify.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import type { Tool } from "../protocols/canonical.ts";
import type { EncodeOptions } from "../protocols/protocol.ts";
import { runAttempt } from "./attempt.ts";
import { type CallerAnswer, toCallerAnswer } from "./caller-answer.ts";
import type { FindSuccessor } from "./continuation.ts";
import { habitByRow } from "./habits.ts";
import type { Repaired } from "./repairs.ts";
import { type TurnRequest, wantsStream } from "./request.ts";
import { classifyOptions, type TurnRuntime } from "./runtime.ts";
import { issuerName, sealsIn } from "./seals.ts";
import { bodyText, toCanonical, type UpstreamRequest, writeUpstreamRequest } from "./upstream-request.ts";

export interface TryInput {
  readonly runtime: TurnRuntime;
  readonly request: TurnRequest;
  readonly turnId: string;
  readonly target: Target;
  readonly credential: Credential;
  /** True when the provider has just rejected this credential's token. */
  readonly rejected: boolean;
  /** True for a connection of its own. Default false. */
  readonly fresh?: boolean;
  readonly repaired: Repaired;
  /** It is to go on from what another has said. */
  readonly goOn?: GoOn & { readonly mayPrefill: boolean };
  /** Who is looked for when the answer breaks off. Missing: nobody. */
  readonly findSuccessor?: FindSuccessor;
  readonly signal?: CancelSignal;
  /** Called when the request is on its way. Must not throw. */
  readonly onSent?: () => void;
}

export interface GoOn {
  readonly said: string;
}

export type TryResult = {
  /** The credential as it was used: with the token that was made good. */
  readonly credential: Credential;
  /** What became of its token; null when it was good as it was. */
  readonly refresh: "ok" | "failed" | null;
  /** Spent by the provider and by a token endpoint, in ms; 0 when nobody measures. */
  readonly elsewhereMs: number;
} & (
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly answer: CallerAnswer;
      readonly dropped: readonly string[];
      /** True when what was said before was given as the beginning of the answer. */
      readonly prefilled: boolean;
    }
  /** `called`: whether a call was made. */
  | { readonly ok: false; readonly failure: Failure; readonly called: boolean; readonly prefilled?: boolean }
);

/** Tries one candidate: makes its token good, writes the request, calls, holds the answer until its commit point. */
export async function tryCandidate(input: TryInput): Promise<TryResult> {
  const { runtime, request, target, signal } = input;
  const { seals, stopwatch } = runtime;
  const provider = runtime.findProvider(target.provider);
  if (provider === null) throw new UnderstudyError("route_unknown", `no provider is called ${target.provider}`);

  const askedAt = stopwatch?.() ?? 0;
  const access = await readAccess(input);
  // What a token endpoint takes its time for. A key is read here.
  let elsewhereMs = input.credential.kind === "oauth" ? (stopwatch?.() ?? 0) - askedAt : 0;
  if (!access.ok) return { ...access, elsewhereMs };
  const { credential, refresh, secret } = access;

  const issuer = issuerName(credential.id, target.model);
  let upstream: UpstreamRequest;
  try {
    const { baseUrl, protocol } = runtime.resolveEndpoint(provider, target.model, secret);
    const isForeign = seals === undefined || seals.isEmpty ? null : (seal: string) => seals.isForeign(seal, issuer);
    const to = { provider, target, credential, secret, baseUrl, protocol, isForeign };
    upstream = writeUpstreamRequest(request, to, input.repaired, input.goOn);
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    return { ok: false, credential, refresh, elsewhereMs, failure: unwritable(error), called: false };
  }
  noteUse(runtime, credential);
  const { protocol } = upstream;
  const whole = !wantsStream(request);
  const sentAt = stopwatch?.() ?? 0;
  const result = await runAttempt({
    transport: runtime.transport,
    clock: runtime.clock,
    limits: runtime.limits,
    upstream,
    whole,
    fresh: input.fresh === true,
    withholdsFailure: input.findSuccessor !== undefined,
    needsEvents: whole || request.dialect !== protocol || input.findSuccessor !== undefined,
    classify: (evidence) => classifyFailure({ ...evidence, protocol, provider: provider.id }, classifyOptions(runtime)),
    onSent: input.onSent,
    onHeaders: (headers) => runtime.onHeard?.(credential, provider, { headers }),
    onText(text) {
      seals?.made(sealsIn(text), issuer);
      runtime.onHeard?.(credential, provider, { text });
    },
    signal,
    closing: runtime.closing,
    gauge: runtime.gauge,
  });
  elsewhereMs += (stopwatch?.() ?? 0) - sentAt;
  if (!result.ok) {
    const { failure } = result;
    const isAboutSeals = failure.reason === "invalid_encrypted_content" && habitByRow[failure.row] === undefined;
    if (isAboutSeals) seals?.refused(sealsIn(bodyText(upstream.request.body)), issuer);
    return { ok: false, credential, refresh, elsewhereMs, failure, called: true, prefilled: upstream.prefilled };
  }
  const { status, headers } = result.answer;
  const options: EncodeOptions = {
    model: target.model,
    id: input.turnId,
    createdAt: runtime.clock.now(),
    get tools() {
      return toolsOf(request);
    },
  };
  const answer = toCallerAnswer(request, protocol, result.answer, options, input.findSuccessor);
  const { dropped, prefilled } = upstream;
  return { ok: true, credential, refresh, elsewhereMs, status, headers, answer, dropped, prefilled };
}

/** Only selection reads it: it keeps no turn waiting, and a store in trouble costs none. */
function noteUse(runtime: TurnRuntime, credential: Credential): void {
  const now = runtime.clock.now();
  if (credential.kind === "api_key" && !credential.persisted) runtime.recordUnstoredUse?.(credential.id, now);
  else Promise.resolve(runtime.store.recordUse(credential.id, now)).catch(nothing);
}

const nothing = (): void => {};

/** The caller's tools, for parts that are written in its protocol. A body of that protocol that we can't read has been answered all the same. */
function toolsOf(request: TurnRequest): readonly Tool[] {
  try {
    return toCanonical(request).request.tools ?? [];
  } catch {
    return [];
  }
}

type Access =
  | { readonly ok: true; readonly credential: Credential; readonly refresh: "ok" | null; readonly secret: string }
  | Omit<Extract<TryResult, { ok: false }>, "elsewhereMs">;

/** The key or access token to call with, revealed for this one request. */
async function readAccess({ runtime, credential, rejected, signal }: TryInput): Promise<Access> {
  if (credential.kind === "api_key") {
    try {
      return {
        ok: true,
        credential,
        refresh: null,
        secret: (await runtime.readKey(credential.source, signal))?.reveal() ?? "",
      };
    } catch (error) {
      const failure = signal?.aborted === true ? cancelled : unreadableKey(error);
      return { ok: false, credential, refresh: null, failure, called: false };
    }
  }
  let token: TokenResult;
  try {
    token = rejected
      ? await runtime.keeper.replaceRejected(credential, signal)
      : await runtime.keeper.makeGood(credential, signal);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    return { ok: false, credential, refresh: null, failure: cancelled, called: false };
  }
  if (!token.ok) return { ok: false, credential, refresh: "failed", failure: token.failure, called: false };
  const refresh = token.refreshed ? "ok" : null;
  return { ok: true, credential: token.credential, refresh, secret: token.credential.grant.accessToken.reveal() };
}

const cancelled: Failure = {
  reason: "cancelled",
  scope: "request",
  next: "stop",
  reloginRequired: false,
  message: "the caller gave up",
  row: "caller-cancelled",
};

/** This target can't be asked this: nobody is to blame, and another target may well be. */
function unwritable(error: UnderstudyError): Failure {
  const configured = error.code !== "config_invalid";
  return {
    reason: configured ? "invalid_request" : "model_not_found",
    scope: "request",
    next: "next_target",
    reloginRequired: false,
    code: error.code,
    message: error.message,
    row: configured ? "request-unwritable" : "no-base-url",
  };
}

function unreadableKey(error: unknown): Failure {
  return {
    reason: "auth",
    // Nobody refused it: it is looked at again by the next turn.
    scope: "network",
    next: "next_credential",
    reloginRequired: false,
    code: "key_unreadable",
    message: cleanMessage(error instanceof Error ? error.message : String(error)),
    row: "key-unreadable",
  };
}
