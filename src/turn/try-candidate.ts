import type { CancelSignal } from "../core/cancel.ts";
import { UnderstudyError } from "../core/error.ts";
import type { Failure } from "../core/failure.ts";
import type { Secret } from "../core/secret.ts";
import type { Soon } from "../core/soon.ts";
import type { Target } from "../core/target.ts";
import type { ApiKeyCredential, Credential, OAuthCredential } from "../credentials/credential.ts";
import type { TokenResult } from "../credentials/keeper.ts";
import { classifyFailure } from "../failures/classify.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { Tool } from "../protocols/canonical.ts";
import type { EncodeOptions } from "../protocols/protocol.ts";
import type { Provider } from "../providers/provider.ts";
import { type AttemptInput, type AttemptResult, runAttempt } from "./attempt.ts";
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
  /** True for a connection of its own. */
  readonly fresh: boolean;
  readonly repaired: Repaired;
  /** What it is to go on from; null for a request of its own. */
  readonly goOn: (GoOn & { readonly mayPrefill: boolean }) | null;
  /** Who is looked for when the answer breaks off. Null: nobody. */
  readonly findSuccessor: FindSuccessor | null;
  readonly signal: CancelSignal | undefined;
  /** Called when the request is on its way. Must not throw. Null: nobody waits for that. */
  readonly onSent: (() => void) | null;
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

/** Tries one candidate: makes its token good, writes the request, calls, holds the answer until its commit point. Throws as it rejects. */
export function tryCandidate(input: TryInput): Promise<TryResult> {
  const { runtime, target } = input;
  const provider = runtime.findProvider(target.provider);
  if (provider === null) throw new UnderstudyError("route_unknown", `no provider is called ${target.provider}`);
  const askedAt = runtime.stopwatch?.() ?? 0;
  const access = readAccess(input);
  if (!(access instanceof Promise)) return call(input, provider, access, 0);
  // What a token endpoint takes its time for. A key is read here.
  const { kind } = input.credential;
  return access.then((got) =>
    call(input, provider, got, kind === "oauth" ? (runtime.stopwatch?.() ?? 0) - askedAt : 0),
  );
}

/** `elsewhereMs`: spent by a token endpoint until now. */
function call(input: TryInput, provider: Provider, access: Access, elsewhereMs: number): Promise<TryResult> {
  const { runtime, request, target } = input;
  if (!access.ok) return Promise.resolve({ ...access, elsewhereMs });
  const { credential, refresh, secret } = access;
  const { seals } = runtime;
  const issuer = issuerName(credential.id, target.model);
  let upstream: UpstreamRequest;
  try {
    const { baseUrl, protocol } = runtime.resolveEndpoint(provider, target.model, secret);
    const isForeign = seals === undefined || seals.isEmpty ? null : (seal: string) => seals.isForeign(seal, issuer);
    const to = { provider, target, credential, secret, baseUrl, protocol, isForeign };
    upstream = writeUpstreamRequest(request, to, input.repaired, input.goOn);
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    const failure = unwritable(error);
    return Promise.resolve({ ok: false, credential, refresh, elsewhereMs, failure, called: false });
  }
  noteUse(runtime, credential);
  return new Call(input, provider, credential, issuer, upstream).make(refresh, elsewhereMs);
}

/** One call that is made for a candidate. */
class Call implements AttemptInput {
  readonly runtime: TurnRuntime;
  readonly upstream: UpstreamRequest;
  readonly whole: boolean;
  readonly fresh: boolean;
  readonly withholdsFailure: boolean;
  readonly needsEvents: boolean;
  readonly signal: CancelSignal | undefined;
  readonly #input: TryInput;
  readonly #provider: Provider;
  readonly #credential: Credential;
  readonly #issuer: string;

  constructor(input: TryInput, provider: Provider, credential: Credential, issuer: string, upstream: UpstreamRequest) {
    const { request, findSuccessor } = input;
    this.runtime = input.runtime;
    this.upstream = upstream;
    this.whole = !wantsStream(request);
    this.fresh = input.fresh;
    this.withholdsFailure = findSuccessor !== null;
    this.needsEvents = this.whole || request.dialect !== upstream.protocol || findSuccessor !== null;
    this.signal = input.signal;
    this.#input = input;
    this.#provider = provider;
    this.#credential = credential;
    this.#issuer = issuer;
  }

  /** `elsewhereMs`: spent by others for it already. */
  make(refresh: "ok" | null, elsewhereMs: number): Promise<TryResult> {
    const { stopwatch } = this.runtime;
    const sentAt = stopwatch?.() ?? 0;
    return runAttempt(this).then((result) =>
      this.#toTried(result, refresh, elsewhereMs + (stopwatch?.() ?? 0) - sentAt),
    );
  }

  #toTried(result: AttemptResult, refresh: "ok" | null, elsewhereMs: number): TryResult {
    const credential = this.#credential;
    const { upstream, runtime } = this;
    const { dropped, prefilled, protocol } = upstream;
    if (!result.ok) {
      const { failure } = result;
      const isAboutSeals = failure.reason === "invalid_encrypted_content" && habitByRow[failure.row] === undefined;
      if (isAboutSeals) runtime.seals?.refused(sealsIn(bodyText(upstream.request.body)), this.#issuer);
      return { ok: false, credential, refresh, elsewhereMs, failure, called: true, prefilled };
    }
    const { request, turnId, target, findSuccessor } = this.#input;
    const { status, headers } = result.answer;
    const options = new AnswerOptions(target.model, turnId, runtime.clock.now(), request);
    const answer = toCallerAnswer(request, protocol, result.answer, options, findSuccessor);
    return { ok: true, credential, refresh, elsewhereMs, status, headers, answer, dropped, prefilled };
  }

  classify(evidence: Evidence): Failure {
    const { protocol } = this.upstream;
    return classifyFailure({ ...evidence, protocol, provider: this.#provider.id }, classifyOptions(this.runtime));
  }

  onSent(): void {
    this.#input.onSent?.();
  }

  onHeaders(headers: Readonly<Record<string, string>>): void {
    this.runtime.onHeard?.(this.#credential, this.#provider, { headers });
  }

  onText(text: string): void {
    const { seals, onHeard } = this.runtime;
    if (seals !== undefined) {
      const found = sealsIn(text);
      if (found.length > 0) seals.made(found, this.#issuer);
    }
    onHeard?.(this.#credential, this.#provider, { text });
  }
}

/** How an answer is written for its caller. */
class AnswerOptions implements EncodeOptions {
  readonly model: string;
  readonly id: string;
  readonly createdAt: number;
  readonly #request: TurnRequest;

  constructor(model: string, id: string, createdAt: number, request: TurnRequest) {
    this.model = model;
    this.id = id;
    this.createdAt = createdAt;
    this.#request = request;
  }

  /** Read from the request when somebody asks. */
  get tools(): readonly Tool[] {
    return toolsOf(this.#request);
  }
}

/** Only selection reads it: it keeps no turn waiting, and a store in trouble costs none. */
function noteUse(runtime: TurnRuntime, credential: Credential): void {
  const now = runtime.clock.now();
  if (credential.kind === "api_key" && !credential.persisted) {
    runtime.recordUnstoredUse?.(credential.id, now);
    return;
  }
  try {
    const noted = runtime.store.recordUse(credential.id, now);
    if (noted instanceof Promise) noted.catch(nothing);
  } catch {
    // As above.
  }
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

/** The key or access token to call with, revealed for this one request. Rejects only for bugs and for a store that can't be used. */
function readAccess(input: TryInput): Soon<Access> {
  const { credential } = input;
  return credential.kind === "api_key" ? readKey(input, credential) : readToken(input, credential);
}

function readKey({ runtime, signal }: TryInput, credential: ApiKeyCredential): Soon<Access> {
  const unread = (error: unknown): Access => {
    const failure = signal?.aborted === true ? cancelled : unreadableKey(error);
    return { ok: false, credential, refresh: null, failure, called: false };
  };
  try {
    const secret = runtime.readKey(credential.source, signal);
    if (!(secret instanceof Promise)) return keyAccess(credential, secret);
    return secret.then((read) => keyAccess(credential, read), unread);
  } catch (error) {
    return unread(error);
  }
}

function keyAccess(credential: ApiKeyCredential, secret: Secret | null): Access {
  return { ok: true, credential, refresh: null, secret: secret?.reveal() ?? "" };
}

function readToken({ runtime, rejected, signal }: TryInput, credential: OAuthCredential): Soon<Access> {
  const { keeper } = runtime;
  const token = rejected ? keeper.replaceRejected(credential, signal) : keeper.makeGood(credential, signal);
  if (!(token instanceof Promise)) return tokenAccess(credential, token);
  return token.then(
    (made) => tokenAccess(credential, made),
    (error: unknown) => {
      if (signal?.aborted !== true) throw error;
      return { ok: false, credential, refresh: null, failure: cancelled, called: false };
    },
  );
}

function tokenAccess(credential: OAuthCredential, token: TokenResult): Access {
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
