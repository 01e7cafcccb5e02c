import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";
import { cleanMessage } from "../../failures/clean-message.ts";
import { explainTurn } from "../../turn/explain-turn.ts";
import { reckonSwitch } from "../../turn/switch-cost.ts";
import type { Workspace } from "../../workspace.ts";
import { readBody } from "../read-body.ts";
import { writeRefusal, writeWhole } from "../refusal.ts";
import { reloadConfig } from "../watch-config.ts";
import { addKey } from "./add-key.ts";
import { isThisMachine } from "./admin-guard.ts";
import { openEventStream } from "./event-stream.ts";
import { findTurn, listOlderTurns } from "./find-turns.ts";
import { makeFirstRoute, viewModels } from "./first-route.ts";
import type { LiveFeed } from "./live-feed.ts";
import { reorderRoute } from "./reorder-route.ts";
import type { SignIns } from "./sign-ins.ts";
import { toTurnRow } from "./turn-row.ts";
import type { LiveMessage, TurnDetail } from "./view.ts";

/** What the admin API works with. */
export interface AdminContext {
  readonly workspace: Workspace;
  readonly feed: LiveFeed;
  readonly signIns: SignIns;
  readonly onNotice: (line: string) => void;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stands in the path in place of `*`. */
  readonly name: string;
}

type Answer = (context: AdminContext, call: Call) => Promise<void>;

/** Turns that one request for older ones gets. */
const olderTurns = 500;

/** The largest body that a change may have, in bytes. */
const bodyBytes = 64 * 1024;

/** Method and path, where `*` is one part of it. */
const endpoints: Readonly<Record<string, Answer>> = {
  "GET /admin/live": watchLive,
  "GET /admin/turns/*": showTurn,
  "GET /admin/turns/*/older": showOlderTurns,
  "POST /admin/keys": enterKey,
  "POST /admin/credentials/*/pause": (context, call) => setPaused(context, call, true),
  "POST /admin/credentials/*/resume": (context, call) => setPaused(context, call, false),
  "POST /admin/credentials/*/reset": resetCredential,
  "POST /admin/pools/*/reset": resetPool,
  "POST /admin/providers/*/models": showModels,
  "POST /admin/routes": makeRoute,
  "POST /admin/routes/*/order": orderRoute,
  "POST /admin/sign-ins": startSignIn,
  "POST /admin/sign-ins/*/cancel": cancelSignIn,
};

/** Answers a request of the page whose sender is known to be allowed. */
export async function answerAdmin(
  context: AdminContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const parts = path.split("/");
  const name = parts[3] ?? "";
  if (name !== "") parts[3] = "*";
  const key = `${request.method ?? "GET"} ${parts.join("/")}`;
  const answer = Object.hasOwn(endpoints, key) ? endpoints[key] : undefined;
  const decoded = decode(name);
  if (answer === undefined || decoded === null) {
    return writeProblem(response, 404, "not_found", "the admin API has no such address");
  }
  try {
    await answer(context, { request, response, name: decoded });
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    writeProblem(response, statusOf(error), error.code, cleanMessage(error.message));
  }
}

async function watchLive({ feed, workspace }: AdminContext, { response }: Call): Promise<void> {
  let stop: (() => void) | null = null;
  const stream = openEventStream(response, { scrub: scrubberOf(workspace), onClose: () => stop?.() });
  try {
    stop = await feed.watch((message) => stream.send(message));
  } catch (error) {
    const message = cleanMessage(error instanceof Error ? error.message : String(error));
    stream.send({ type: "trouble", message } satisfies LiveMessage);
    stream.end();
  }
  if (response.destroyed) stop?.();
}

async function showTurn({ workspace, feed }: AdminContext, { response, name }: Call): Promise<void> {
  const { store, clock, runtime } = workspace;
  const turn = feed.running.get(name) ?? (await findTurn(store, name));
  if (turn === null) return writeProblem(response, 404, "turn_unknown", "the journal has no turn with this id");
  const switched = await reckonSwitch(turn, store, runtime.priceOf);
  const lines = explainTurn(turn, await store.listCredentials(), clock.now(), switched);
  writeJson(response, { row: toTurnRow(turn), lines } satisfies TurnDetail, workspace);
}

async function showOlderTurns({ workspace }: AdminContext, { response, name }: Call): Promise<void> {
  const turns = await listOlderTurns(workspace.store, name, olderTurns);
  writeJson(response, { turns: turns.map(toTurnRow) }, workspace);
}

async function setPaused({ workspace, feed }: AdminContext, call: Call, paused: boolean): Promise<void> {
  const changed = await workspace.store.updateCredential(call.name, { paused });
  if (changed === null) throw noAccount("in the store");
  feed.touch();
  writeJson(call.response, {});
}

/** Ends the rests of one account, as `understudy auth reset` does. */
async function resetCredential({ workspace, feed }: AdminContext, { response, name }: Call): Promise<void> {
  if (!(await isAccount(workspace, name))) throw noAccount("in the store or the environment");
  await workspace.store.clearCooldowns({ credentialId: name });
  feed.touch();
  writeJson(response, {});
}

async function resetPool({ workspace, feed }: AdminContext, { response, name }: Call): Promise<void> {
  if (!(await isProvider(workspace, name)))
    return writeProblem(response, 404, "provider_unknown", "no provider is called so");
  await workspace.store.clearCooldowns({ provider: name });
  feed.touch();
  writeJson(response, {});
}

function noAccount(where: string): UnderstudyError {
  return new UnderstudyError("credential_unknown", `there is no such account ${where}`);
}

/** True for a stored credential, and for a key of the environment, which can rest as well. */
async function isAccount({ store, config, runtime }: Workspace, id: string): Promise<boolean> {
  if ((await store.getCredential(id)) !== null) return true;
  return config.providers.some((one) => runtime.environmentCredentials(one.id).some((key) => key.id === id));
}

/** True for one of the configuration, and for one that only the store still knows. */
async function isProvider({ store, config }: Workspace, id: string): Promise<boolean> {
  return config.providers.some((one) => one.id === id) || (await store.listCredentials(id)).length > 0;
}

const orderBody = z.strictObject({
  seen: z.array(z.string().max(1_000)).max(1_000),
  order: z.array(z.int().min(0).max(999)).max(1_000),
});

async function orderRoute(context: AdminContext, { request, response, name }: Call): Promise<void> {
  const { workspace, feed, onNotice } = context;
  const body = await readJson(request, response, orderBody);
  if (body === null) return;
  await reorderRoute(workspace, name, body);
  await reloadConfig(workspace, onNotice);
  feed.touch();
  writeJson(response, {});
}

const keyBody = z.strictObject({
  provider: z.string().max(200),
  key: z.string().max(20_000),
  label: z.string().max(200).optional(),
});

/** A key is taken from this machine alone: directly, through a tunnel, or from whoever ends TLS here. */
async function enterKey({ workspace, feed }: AdminContext, { request, response }: Call): Promise<void> {
  if (!isThisMachine(request.socket.remoteAddress)) {
    return writeProblem(
      response,
      403,
      "not_local",
      "a key is only taken over a connection from this machine: enter it on the command line, or come through a tunnel",
    );
  }
  const body = await readJson(request, response, keyBody);
  if (body === null) return;
  const added = await addKey(workspace, body);
  feed.touch();
  writeJson(response, added, workspace);
}

async function showModels({ workspace }: AdminContext, { response, name }: Call): Promise<void> {
  writeJson(response, await viewModels(workspace, name), workspace);
}

const routeBody = z.strictObject({ target: z.string().max(300) });

async function makeRoute({ workspace, feed, onNotice }: AdminContext, { request, response }: Call): Promise<void> {
  const body = await readJson(request, response, routeBody);
  if (body === null) return;
  await makeFirstRoute(workspace, body.target);
  await reloadConfig(workspace, onNotice);
  feed.touch();
  writeJson(response, {});
}

const signInBody = z.strictObject({ provider: z.string().max(200) });

async function startSignIn({ signIns, feed, workspace }: AdminContext, { request, response }: Call): Promise<void> {
  const body = await readJson(request, response, signInBody);
  if (body === null) return;
  const stream = openEventStream(response, { scrub: scrubberOf(workspace), onClose: () => {} });
  await signIns.start(body.provider, (message) => stream.send(message));
  stream.end();
  feed.touch();
}

function cancelSignIn({ signIns }: AdminContext, { response, name }: Call): Promise<void> {
  writeJson(response, { cancelled: signIns.cancel(name) });
  return Promise.resolve();
}

/** A body of this shape; null when it is another and the refusal is written. */
async function readJson<T>(request: IncomingMessage, response: ServerResponse, shape: z.ZodType<T>): Promise<T | null> {
  const type = request.headers["content-type"] ?? "";
  // A form can send text, but no JSON.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    writeProblem(response, 415, "unsupported_media_type", "a change is sent as application/json");
    return null;
  }
  const body = await readBody(request, bodyBytes);
  if (!body.ok) {
    if (body.refusal !== null) writeRefusal(response, "chat-completions", body.refusal);
    return null;
  }
  const parsed = shape.safeParse(parseJson(body.json.text()));
  if (parsed.success) return parsed.data;
  writeProblem(response, 400, "invalid_request", "the request has another shape than this address takes");
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function statusOf({ code }: UnderstudyError): number {
  switch (code) {
    case "credential_unknown":
    case "route_unknown":
      return 404;
    case "store_unavailable":
      return 503;
    default:
      return 409;
  }
}

function writeJson(response: ServerResponse, value: unknown, workspace?: Workspace): void {
  const text = JSON.stringify(value);
  writeWhole(response, 200, {}, workspace === undefined ? text : scrubberOf(workspace)(text));
}

function scrubberOf({ secrets }: Workspace): (text: string) => string {
  return (text) => secrets.scrub(text);
}

function writeProblem(response: ServerResponse, status: number, code: string, message: string): void {
  writeRefusal(response, "chat-completions", { status, code, message });
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
