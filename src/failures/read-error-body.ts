import type { Evidence } from "./evidence.ts";

/**
 * Error bodies in every shape that was seen, read into one.
 *
 * - OpenAI: `{"error": {"code", "type", "message", "param"}}`, also `{"response": {"error": …}}` in a stream
 * - Anthropic: `{"type": "error", "error": {"type", "message"}}`
 * - OAuth (RFC 6749 §5.2): `{"error": "code", "error_description": "…"}`; others put a sentence into `error`
 * - Codex backend and FastAPI: `{"detail": "…" | {"code", "message"} | [{"loc", "msg", "type"}]}`
 * - Google: `[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message", "details": […]}}]`
 * - flat: `{"code", "type", "message"}`; AWS: `{"__type", "message"}`; `{"errors": [{"code", "message"}]}`
 * - wrapped: the message of an error that is itself such a body as JSON text
 * - OpenRouter: `error.metadata.{raw, provider_name}`, the error of a provider behind the aggregator
 * - web pages, plain text, nothing at all
 *
 * A number is never a code: it is a status, and counts as the status when the HTTP status itself tells of no error.
 */
export type ErrorBody = Pick<
  Evidence,
  "status" | "headers" | "code" | "type" | "param" | "message" | "body" | "text" | "upstream"
>;

/** Wrappers inside wrappers are followed this deep. */
const deepestLayer = 4;

/** As in `Evidence.text`. */
const longestText = 65_536;

const longestName = 128;

/** What stands beyond is no message any more. In characters. */
const longestMessage = 4_096;

/** Reads the body of an error answer. Never throws, for any text. */
export function readErrorBody(status: number, headers: Readonly<Record<string, string>>, text: string): ErrorBody {
  const value = parseJson(text);
  if (typeof value === "object" && value !== null) return { headers, ...readErrorValue(value, status) };
  const beginning = text.slice(0, longestText);
  const message = typeof value === "string" ? value : isHtml(beginning, headers) ? readTitle(beginning) : beginning;
  return {
    status,
    headers,
    ...(message.trim() !== "" && { message: message.trim().slice(0, longestMessage) }),
    ...(beginning !== "" && { text: beginning }),
  };
}

/** The same for a value that is already parsed: a stream event, a whole answer. `status` is the HTTP status if known. */
export function readErrorValue(value: unknown, status?: number): Omit<ErrorBody, "headers"> {
  const layer = readLayer(value, 0);
  const stated = layer.status !== undefined && (status === undefined || status < 400) ? layer.status : status;
  return {
    ...(stated !== undefined && { status: stated }),
    ...(layer.code !== undefined && { code: layer.code }),
    ...(layer.type !== undefined && { type: layer.type }),
    ...(layer.param !== undefined && { param: layer.param }),
    ...(layer.message !== undefined && { message: layer.message.slice(0, longestMessage) }),
    ...(layer.upstream && { upstream: true }),
    body: value,
  };
}

/** True when a web page came where an answer was due. */
export function isHtml(text: string, headers: Readonly<Record<string, string>> = {}): boolean {
  if (/^\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/is.test(text.slice(0, 1_024))) return true;
  const contentType: unknown = headers["content-type"];
  return typeof contentType === "string" && /^\s*text\/html\b/i.test(contentType) && /^\s*</.test(text.slice(0, 1_024));
}

/** What one level of a body says. */
interface Layer {
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
  readonly message?: string;
  /** A status that the body names itself. */
  readonly status?: number;
  readonly upstream?: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

function readLayer(value: unknown, depth: number): Layer {
  if (Array.isArray(value)) return readLayer(value[0], depth + 1);
  if (depth > deepestLayer || !isFields(value)) return {};

  const inner = errorWithin(value);
  if (inner !== null) {
    const own = { ...readNames(value), ...readStatus(value), ...readMessage(value) };
    return merge(own, readLayer(inner, depth + 1));
  }
  const own: Layer = { ...readNames(value), ...readStatus(value), ...readMessage(value) };
  return unwrap(own, value, depth);
}

/** The object inside `value` that tells more than `value` itself, if there is one. */
function errorWithin(value: Fields): unknown {
  if (isFields(value["error"])) return value["error"];
  if (isFields(value["response"]) && isFields(value["response"]["error"])) return value["response"]["error"];
  if (isFields(value["detail"])) return value["detail"];
  if (Array.isArray(value["errors"]) && isFields(value["errors"][0])) return value["errors"][0];
  if (isFields(value["message"]) && readMessage(value["message"]).message !== undefined) return value["message"];
  return null;
}

/** Follows JSON inside the message and the error of a provider behind an aggregator. */
function unwrap(own: Layer, value: Fields, depth: number): Layer {
  const metadata = isFields(value["metadata"]) ? value["metadata"] : {};
  const behind = readText(metadata["provider_name"]);
  if (behind !== undefined || metadata["raw"] !== undefined) {
    const inner = readRaw(metadata["raw"], depth);
    const said = inner.message ?? own.message;
    // With a key of the user's own at the provider behind, the limit that was met is the user's own as well.
    const upstream = metadata["is_byok"] !== true;
    return {
      ...merge(own, inner),
      ...(said !== undefined && { message: behind === undefined ? said : `${behind}: ${said}` }),
      ...(upstream && { upstream }),
    };
  }
  const wrapped = jsonWithin(own.message);
  return wrapped === null ? own : merge(own, readLayer(wrapped, depth + 1));
}

function readRaw(raw: unknown, depth: number): Layer {
  if (typeof raw !== "string") return readLayer(raw, depth + 1);
  const wrapped = jsonWithin(raw);
  const layer = wrapped === null ? {} : readLayer(wrapped, depth + 1);
  if (layer.message !== undefined || layer.code !== undefined) return layer;
  return raw.trim() === "" || wrapped !== null ? layer : { ...layer, message: raw.trim() };
}

/** What lies deeper is nearer to the cause. */
function merge(outer: Layer, inner: Layer): Layer {
  return {
    ...outer,
    ...inner,
    // A code of the wrapper says nothing about an error that has only a type of its own, and the other way round.
    ...(inner.type !== undefined && inner.code === undefined && { code: undefined }),
    ...(inner.code !== undefined && inner.type === undefined && { type: undefined }),
  };
}

/** Names of the envelope, which say nothing about the error in it. */
const envelopeTypes = /^(?:error|response(?:\..*)?)$/i;

function readNames(value: Fields): Layer {
  const code =
    readName(value["code"]) ??
    readName(value["error_code"]) ??
    readReason(value["details"]) ??
    (typeof value["error"] === "string" ? readName(value["error"]) : undefined) ??
    // Google's name for what its number says; elsewhere `status` is the state of an answer.
    (typeof value["code"] === "number" ? readName(value["status"]) : undefined);
  const type = readName(value["type"]) ?? readName(value["__type"]);
  const param = readText(value["param"]) ?? readLocation(value["detail"]);
  return {
    ...(code !== undefined && { code }),
    ...(type !== undefined && !envelopeTypes.test(type) && { type }),
    ...(param !== undefined && { param }),
  };
}

function readMessage(value: Fields): Layer {
  const { message, detail, error } = value;
  const text =
    readText(message) ??
    readText(value["error_description"]) ??
    readText(value["msg"]) ??
    readText(detail) ??
    (Array.isArray(detail) ? readText(detail.map(validationText).join("; ")) : undefined) ??
    readText(error) ??
    readText(value["Message"]);
  return text === undefined ? {} : { message: text };
}

function readStatus(value: Fields): Layer {
  for (const key of ["status", "status_code", "code"]) {
    const status = typeof value[key] === "string" ? Number(value[key]) : value[key];
    if (typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599) return { status };
  }
  return {};
}

/** One entry of a FastAPI validation error. */
function validationText(entry: unknown): string {
  if (!isFields(entry)) return typeof entry === "string" ? entry : "";
  const location = readLocation([entry]);
  const said = readText(entry["msg"]) ?? "";
  return location === undefined ? said : `${location}: ${said}`;
}

function readLocation(detail: unknown): string | undefined {
  const first: unknown = Array.isArray(detail) ? detail[0] : undefined;
  if (!isFields(first) || !Array.isArray(first["loc"])) return undefined;
  return readText(
    first["loc"].filter((part) => (typeof part === "string" || typeof part === "number") && part !== "body").join("."),
  );
}

/** `google.rpc.ErrorInfo` in `details` names the cause where the code beside it is only a family. */
function readReason(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined;
  for (const detail of details) {
    if (isFields(detail) && String(detail["@type"]).endsWith("google.rpc.ErrorInfo")) return readName(detail["reason"]);
  }
  return undefined;
}

/** A name a program can compare: one word, no number. */
function readName(value: unknown): string | undefined {
  const text = readText(value);
  if (text === undefined || text.length > longestName) return undefined;
  return /^[\w.:/#-]+$/.test(text) && /[a-z]/i.test(text) ? text : undefined;
}

function readText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  return text === "" ? undefined : text;
}

/** JSON that is the message, or stands at its end after some words. */
function jsonWithin(message: string | undefined): Fields | null {
  const start = message?.indexOf("{") ?? -1;
  if (message === undefined || start < 0 || !message.trimEnd().endsWith("}")) return null;
  const value = parseJson(message.slice(start));
  return isFields(value) ? value : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readTitle(page: string): string {
  const title = /<title[^>]*>([^<]{1,300})</i.exec(page)?.[1] ?? /<h1[^>]*>([^<]{1,300})</i.exec(page)?.[1] ?? "";
  return title.replace(/\s+/g, " ").trim();
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
