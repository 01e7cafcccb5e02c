import { backendNames, type BackendName, type Backend, type Simulator } from "../../src/testing.ts";
import { type RawAnswer, type RawRequest, sendRaw } from "./raw-client.ts";

/** The time of every simulator in these tests, Unix ms. */
export const now = 1_800_000_000_000;

export interface CallOptions {
  readonly stream?: boolean;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** A client of one backend that says what the real one wants to hear. */
export interface Caller {
  readonly name: BackendName;
  readonly backend: Backend;
  readonly secret: string;
  /** Whether the wire has answers that are no stream. */
  readonly streamOnly: boolean;
  url(): string;
  request(options?: CallOptions): RawRequest;
  call(options?: CallOptions): Promise<RawAnswer>;
}

/** One caller per backend, each with a credential named `alice`. */
export function callersOf(simulator: Simulator): Record<BackendName, Caller> {
  const account = simulator.codexIssuer.addAccount({
    name: "alice",
    email: "alice@example.test",
    accountId: "acct-alice",
  });
  const token = simulator.codexIssuer.issueTokens(account).accessToken;
  const input = "Say hello to the audience";
  const messages = [{ role: "user", content: input }];
  const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
  const specs: Record<
    BackendName,
    { secret: string; path: string; headers: (secret: string) => Record<string, string>; body: object }
  > = {
    codex: {
      secret: token,
      path: "/responses",
      headers: (secret) => ({ ...bearer(secret), "chatgpt-account-id": "acct-alice" }),
      body: { model: "gpt-5.5", input, store: false },
    },
    openai: {
      secret: simulator.openai.keys.add("alice"),
      path: "/responses",
      headers: bearer,
      body: { model: "gpt-5.5", input },
    },
    messages: {
      secret: simulator.messages.keys.add("alice"),
      path: "/v1/messages",
      headers: (secret) => ({ "x-api-key": secret, "anthropic-version": "2023-06-01" }),
      body: { model: "claude-opus-4-8", max_tokens: 64, messages },
    },
    chat: {
      secret: simulator.chat.keys.add("alice"),
      path: "/chat/completions",
      headers: bearer,
      body: { model: "llama-4-70b", messages },
    },
  };
  const callers = backendNames.map((name): [BackendName, Caller] => {
    const { secret, path, headers, body } = specs[name];
    const backend = simulator[name];
    const request = ({
      stream = true,
      body: more = {},
      headers: moreHeaders = {},
      signal,
    }: CallOptions = {}): RawRequest => ({
      headers: { ...headers(secret), ...moreHeaders },
      body: { ...body, ...(stream ? { stream: true } : {}), ...more },
      ...(signal === undefined ? {} : { signal }),
    });
    const url = (): string => backend.baseUrl + path;
    const caller: Caller = {
      name,
      backend,
      secret,
      streamOnly: name === "codex",
      url,
      request,
      call: (options) => sendRaw(url(), request(options)),
    };
    return [name, caller];
  });
  return Object.fromEntries(callers) as Record<BackendName, Caller>;
}
