import { errorLayers, type Fields, isFields, parseJson } from "./error-layers.ts";
import type { Evidence } from "./evidence.ts";
import { isHtml, readTitle } from "./html.ts";

/**
 * Error bodies in every shape that was seen, read into one.
 *
 * - OpenAI: `{"error": {"code", "type", "message", "param"}}`, also `{"response": {"error": …}}` in a stream
 * - Anthropic: `{"type": "error", "error": {"type", "message"}}`
 * - OAuth (RFC 6749 §5.2): `{"error": "code", "error_description": "…"}`; others put a sentence into `error`
 * - Codex backend and FastAPI: `{"detail": "…" | {"code", "message"} | [{"loc", "msg", "type"}]}`
 * - Google: `[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message", "details": […]}}]`
 * - flat: `{"code", "type", "message"}`; AWS: `{"__type", "message"}`; MiniMax: `{"base_resp": {"status_code", "status_msg"}}`
 * - wrapped: see `errorLayers`
 * - web pages, plain text, nothing at all
 *
 * A number from 100 to 599 is never a code: it is a status, and counts as the status when the HTTP status itself tells of
 * no error. Other numbers are codes (Z.AI's 1113, MiniMax's 2056).
 */
export type ErrorBody = Pick<
  Evidence,
  "status" | "headers" | "code" | "type" | "param" | "message" | "body" | "text" | "upstream"
>;

/** In characters; what stands beyond is no message any more. */
const longestMessage = 4_096;
/** As in `Evidence.text`. */
const longestText = 65_536;
const longestName = 128;

/** Reads the body of an error answer. Never throws, for any text. */
export function readErrorBody(status: number, headers: Readonly<Record<string, string>>, text: string): ErrorBody {
  const value = parseJson(text);
  if (typeof value === "object" && value !== null) return { headers, ...readErrorValue(value, status) };
  const beginning = text.slice(0, longestText);
  const said = typeof value === "string" ? value : isHtml(beginning, headers) ? readTitle(beginning) : beginning;
  const message = said.trim().slice(0, longestMessage);
  return { status, headers, ...(message !== "" && { message }), ...(beginning !== "" && { text: beginning }) };
}

/** The same for a value that is already parsed: a stream event, a whole answer. `status` is the HTTP status if known. */
export function readErrorValue(value: unknown, status?: number): Omit<ErrorBody, "headers"> {
  const found: { -readonly [Key in keyof ErrorBody]: ErrorBody[Key] } = { body: value };
  if (status !== undefined) found.status = status;
  let behind: string | undefined;
  let statusFound = status !== undefined && status >= 400;

  for (const layer of errorLayers(value)) {
    const names = readNames(layer);
    // The names nearest to the cause are taken together: a wrapper's code says nothing about another error's type.
    if (names.code !== undefined || names.type !== undefined) {
      delete found.code;
      delete found.type;
      Object.assign(found, names);
    }
    const param = readText(layer["param"]) ?? readLocation(layer["detail"]);
    if (param !== undefined) found.param = param;
    const message = readMessage(layer);
    if (message !== undefined) found.message = message;
    const stated = readStatus(layer);
    if (stated !== undefined && !statusFound) {
      found.status = stated;
      statusFound = true;
    }
    if (isBehindAggregator(layer)) {
      behind = readText(layer["provider_name"]);
      // With a key of the user's own at the provider behind, the limit that was met is the user's own as well.
      if (layer["is_byok"] !== true) found.upstream = true;
    }
  }
  if (found.message !== undefined) {
    found.message = (behind === undefined ? found.message : `${behind}: ${found.message}`).slice(0, longestMessage);
  }
  return found;
}

/** OpenRouter's `error.metadata`. In a refusal of its own it is there too, but names no provider. */
function isBehindAggregator(layer: Fields): boolean {
  return readText(layer["provider_name"]) !== undefined || (layer["raw"] !== undefined && layer["raw"] !== null);
}

/** Types of the envelope, which say nothing about the error in it. */
const envelopeTypes = /^(?:error|response(?:\..*)?)$/i;

function readNames(layer: Fields): Pick<ErrorBody, "code" | "type"> {
  const code =
    readName(layer["code"]) ??
    readName(layer["error_code"]) ??
    (typeof layer["error"] === "string" ? readName(layer["error"]) : undefined) ??
    // Google's name for what its number says. Elsewhere `status` is the state of an answer.
    (typeof layer["code"] === "number" ? readName(layer["status"]) : undefined) ??
    ("status_msg" in layer && layer["status_code"] !== 0 ? readName(layer["status_code"]) : undefined);
  const type = readCause(layer["details"]) ?? readName(layer["type"]) ?? readName(layer["__type"]);
  return {
    ...(code !== undefined && { code }),
    ...(type !== undefined && !envelopeTypes.test(type) && { type }),
  };
}

/** What Google's `details` name as the cause, where the code beside them is only a family. */
function readCause(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined;
  let cause: string | undefined;
  for (const detail of details.slice(0, 20)) {
    if (!isFields(detail)) continue;
    cause ??= readName(detail["reason"]);
    const violations: unknown[] = Array.isArray(detail["violations"]) ? detail["violations"] : [];
    for (const violation of violations.slice(0, 20)) {
      const quota = isFields(violation) ? readName(violation["quotaId"]) : undefined;
      // The longest window that is used up decides when it goes on.
      if (quota !== undefined && (cause === undefined || /PerDay/i.test(quota))) cause = quota;
    }
  }
  return cause;
}

function readMessage(layer: Fields): string | undefined {
  const { message, error_description: description, msg, detail, error, raw } = layer;
  return (
    readText(message) ??
    readText(description) ??
    readText(layer["status_msg"]) ??
    readText(msg) ??
    readText(detail) ??
    (Array.isArray(detail) ? readText(detail.slice(0, 10).map(validationText).join("; ")) : undefined) ??
    readText(error) ??
    readText(raw) ??
    readText(layer["Message"])
  );
}

function readStatus(layer: Fields): number | undefined {
  for (const key of ["status", "status_code", "code"]) {
    const status = typeof layer[key] === "string" ? Number(layer[key]) : layer[key];
    if (typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
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
  const parts = first["loc"].slice(0, 20).filter((part) => typeof part === "string" || typeof part === "number");
  return readText((parts[0] === "body" ? parts.slice(1) : parts).join("."));
}

/** A name a program can compare: one word, and no HTTP status. */
function readName(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : readText(value);
  if (text === undefined || text.length > longestName || !/^[\w.:/#-]+$/.test(text)) return undefined;
  if (/[a-z]/i.test(text)) return text;
  return /^\d{4,6}$/.test(text) ? text : undefined;
}

function readText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  return text === "" ? undefined : text;
}
