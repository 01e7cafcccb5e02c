import { type CancelSignal, toAbortSignal } from "../core/cancel.ts";
import type { Failure } from "../core/failure.ts";
import { readText, TransportError } from "../core/transport.ts";
import type { Credential } from "../credentials/credential.ts";
import type { Evidence } from "../failures/evidence.ts";
import { classifyFailure } from "../failures/classify.ts";
import { protocols } from "../protocols/index.ts";
import type { Provider } from "../providers/provider.ts";
import { classifyOptions, type TurnRuntime } from "./runtime.ts";

/** What a provider said to a question that is no turn: its models, an account's usage. */
export type ProviderAnswer =
  | { readonly ok: true; readonly body: unknown; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly failure: Failure };

export interface ProviderQuestion {
  readonly provider: Provider;
  readonly credential: Credential;
  /** The address, given the base URL that a model call would go to and the protocol it would speak. */
  readonly url: (baseUrl: string, isMessages: boolean) => string;
  /** Limit for the whole of it, in ms. Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: CancelSignal;
}

const longestBody = 16 * 1024 * 1024;

/**
 * Asks a provider something with one credential, as a GET. Makes its token good first, and renews it once if it is rejected. Counts
 * against nobody: no rest is written. Never throws but for the signal.
 */
export async function askProvider(runtime: TurnRuntime, question: ProviderQuestion): Promise<ProviderAnswer> {
  const first = await ask(runtime, question, question.credential, false);
  const { credential } = question;
  if (first.ok || credential.kind !== "oauth" || first.failure.status !== 401) return first;
  return ask(runtime, question, credential, true);
}

async function ask(
  runtime: TurnRuntime,
  { provider, url, timeoutMs = 10_000, signal }: ProviderQuestion,
  credential: Credential,
  rejected: boolean,
): Promise<ProviderAnswer> {
  const access = await readAccess(runtime, credential, rejected, signal);
  if (!access.ok) return access;
  const { secret, used } = access;
  const limit = AbortSignal.any([
    AbortSignal.timeout(timeoutMs),
    ...(signal === undefined ? [] : [toAbortSignal(signal)]),
  ]);
  try {
    const { baseUrl, protocol } = runtime.resolveEndpoint(provider, "", secret);
    const { "content-type": _, ...headers } = protocols[protocol].headers(secret);
    const response = await runtime.transport.send({
      method: "GET",
      url: url(baseUrl.replace(/\/+$/, ""), protocol === "messages"),
      headers: {
        ...(secret === "" ? {} : headers),
        accept: "application/json",
        ...provider.headers?.(used.kind === "oauth" ? used : null),
      },
      signal: limit,
    });
    const text = await readText(response.body, longestBody);
    const body = response.status < 300 ? parse(text) : undefined;
    if (body !== undefined) return { ok: true, body, headers: response.headers };
    return failed(runtime, provider, protocols[protocol].readError(response.status, response.headers, text));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (limit.aborted) {
      return failed(runtime, provider, {
        phase: "sent",
        networkCode: "FIRST_EVENT_TIMEOUT",
        message: "no answer in time",
      });
    }
    return failed(runtime, provider, networkEvidence(error));
  }
}

type Access =
  | { readonly ok: true; readonly secret: string; readonly used: Credential }
  | Extract<ProviderAnswer, { ok: false }>;

async function readAccess(
  { keeper, readKey }: TurnRuntime,
  credential: Credential,
  rejected: boolean,
  signal: CancelSignal | undefined,
): Promise<Access> {
  if (credential.kind === "api_key") {
    try {
      return { ok: true, secret: (await readKey(credential.source))?.reveal() ?? "", used: credential };
    } catch (error) {
      return { ok: false, failure: unreadableKey(error) };
    }
  }
  const token = rejected ? await keeper.replaceRejected(credential, signal) : await keeper.makeGood(credential, signal);
  if (!token.ok) return { ok: false, failure: token.failure };
  return { ok: true, secret: token.credential.grant.accessToken.reveal(), used: token.credential };
}

function unreadableKey(error: unknown): Failure {
  return {
    reason: "auth",
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    code: "key_unreadable",
    message: error instanceof Error ? error.message : String(error),
    row: "key-unreadable",
  };
}

function failed(runtime: TurnRuntime, provider: Provider, evidence: Evidence): ProviderAnswer {
  return { ok: false, failure: classifyFailure({ ...evidence, provider: provider.id }, classifyOptions(runtime)) };
}

function networkEvidence(error: unknown): Evidence {
  if (error instanceof TransportError) {
    return {
      phase: error.phase === "body" ? "head" : error.phase,
      networkCode: error.networkCode,
      message: error.message,
    };
  }
  return { phase: "connect", networkCode: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
