import type { KeyAdded, ModelsView, RouteOrder, SignInMessage, TurnDetail, TurnRow } from "../src/gateway/page/view.ts";
import { adminKey, forgetKey } from "./admin-key.ts";
import { readEvents } from "./read-events.ts";

/** What the gateway said when it refused: a sentence for a person. */
export class RefusedError extends Error {}

/** Asks the admin API. The key goes in a header that no browser sends by itself. Throws `RefusedError`. */
export async function ask(
  path: string,
  init: { body?: unknown; method?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  const { body, signal } = init;
  const response = await fetch(`/admin/${path}`, {
    method: init.method ?? "GET",
    cache: "no-store",
    credentials: "omit",
    headers: {
      authorization: `Bearer ${adminKey.peek() ?? ""}`,
      "x-understudy-page": "1",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  if (response.status === 401) forgetKey("This is not the admin key of this gateway.");
  throw new RefusedError(await readProblem(response));
}

async function readProblem(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: { message?: string } };
    return error?.message ?? `the gateway answered ${response.status}`;
  } catch {
    return `the gateway answered ${response.status}`;
  }
}

async function post(path: string, body?: unknown): Promise<void> {
  const response = await ask(path, { method: "POST", body: body ?? {} });
  // An answer that nobody reads keeps its connection.
  await response.text();
}

const part = encodeURIComponent;

export async function fetchTurn(id: string): Promise<TurnDetail> {
  return (await (await ask(`turns/${part(id)}`)).json()) as TurnDetail;
}

export async function fetchOlderTurns(id: string): Promise<readonly TurnRow[]> {
  const { turns } = (await (await ask(`turns/${part(id)}/older`)).json()) as { turns: readonly TurnRow[] };
  return turns;
}

export const pauseAccount = (id: string) => post(`credentials/${part(id)}/pause`);
export const resumeAccount = (id: string) => post(`credentials/${part(id)}/resume`);
export const resetAccount = (id: string) => post(`credentials/${part(id)}/reset`);
export const resetPool = (provider: string) => post(`pools/${part(provider)}/reset`);
export const orderRoute = (name: string, order: RouteOrder) => post(`routes/${part(name)}/order`, order);
export const cancelSignIn = (id: string) => post(`sign-ins/${part(id)}/cancel`);

/** Asks a provider for its models, by way of the gateway. */
export async function fetchModels(provider: string): Promise<ModelsView> {
  return (await (await ask(`providers/${part(provider)}/models`, { method: "POST", body: {} })).json()) as ModelsView;
}

export const makeFirstRoute = (target: string) => post("routes", { target });

/** Hands a key over, once. What comes back holds nothing of it. */
export async function addKey(provider: string, key: string, label: string): Promise<KeyAdded> {
  const body = { provider, key, ...(label === "" ? {} : { label }) };
  return (await (await ask("keys", { method: "POST", body })).json()) as KeyAdded;
}

/** Starts a sign-in and tells how far it is, until it is over or `signal` aborts. */
export async function startSignIn(
  provider: string,
  tell: (message: SignInMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await ask("sign-ins", { method: "POST", body: { provider }, signal });
  await readEvents(response, (data) => tell(JSON.parse(data) as SignInMessage));
}
