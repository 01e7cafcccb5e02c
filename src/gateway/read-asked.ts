import type { IncomingHttpHeaders } from "node:http";
import { resolveRoute } from "../config/resolve-route.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { isUnderstudyError } from "../core/error.ts";
import type { Json } from "../protocols/canonical.ts";
import type { Route } from "../core/target.ts";
import { readTopLevel } from "../protocols/edit-json.ts";
import { type JsonBytes, scanRouting, valueOf } from "../protocols/json-bytes.ts";
import { conversationIn, conversationOf } from "./conversation.ts";
import type { Refusal } from "./refusal.ts";

/** What the gateway itself needs of a request. All else passes through unseen. */
export interface Asked {
  readonly route: Route;
  readonly stream: boolean;
  /** Names the conversation; see `conversationOf`. */
  readonly conversation: string;
}

/** Reads the few members that route a request; a refusal when it is no JSON object, names no model, or one that nobody has. */
export function readAsked(json: JsonBytes, headers: IncomingHttpHeaders, config: ResolvedConfig): Asked | Refusal {
  try {
    const { model, stream, conversation } = scanned(json, headers) ?? parsed(json, headers);
    if (typeof model !== "string" || model === "") {
      return { status: 400, code: "model_missing", message: "the request names no model" };
    }
    return { route: resolveRoute(config, model), stream: stream === true, conversation };
  } catch (error) {
    if (isUnderstudyError(error, "route_unknown"))
      return { status: 404, code: "model_not_found", message: error.message };
    if (isUnderstudyError(error)) return { status: 400, code: "invalid_json", message: error.message };
    throw error;
  }
}

interface Members {
  readonly model: Json | undefined;
  readonly stream: Json | undefined;
  readonly conversation: string;
}

/** Null when the body has to be parsed to know. */
function scanned(json: JsonBytes, headers: IncomingHttpHeaders): Members | null {
  const scan = scanRouting(json);
  if (scan === null) return null;
  try {
    const conversation = conversationIn(headers, json, scan);
    if (conversation === null) return null;
    return { model: valueOf(json, scan, "model"), stream: valueOf(json, scan, "stream"), conversation };
  } catch {
    // One of the values is no JSON: the parser says so.
    return null;
  }
}

function parsed(json: JsonBytes, headers: IncomingHttpHeaders): Members {
  const text = json.text();
  const members = readTopLevel(text, ["model", "stream", "prompt_cache_key", "metadata", "conversation"]);
  return { model: members["model"], stream: members["stream"], conversation: conversationOf(headers, members, text) };
}

export function isRefusal(asked: Asked | Refusal): asked is Refusal {
  return "status" in asked;
}
