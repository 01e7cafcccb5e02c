import type { IncomingHttpHeaders } from "node:http";
import { resolveRoute } from "../config/resolve-route.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { isUnderstudyError } from "../core/error.ts";
import type { Route } from "../core/target.ts";
import { readTopLevel } from "../protocols/edit-json.ts";
import { conversationOf } from "./conversation.ts";
import type { Refusal } from "./refusal.ts";

/** What the gateway itself needs of a request. All else passes through unseen. */
export interface Asked {
  readonly route: Route;
  readonly stream: boolean;
  /** Names the conversation; see `conversationOf`. */
  readonly conversation: string;
}

/** Reads the few members that route a request; a refusal when it is no JSON object, names no model, or one that nobody has. */
export function readAsked(text: string, headers: IncomingHttpHeaders, config: ResolvedConfig): Asked | Refusal {
  try {
    const members = readTopLevel(text, ["model", "stream", "prompt_cache_key", "metadata", "conversation"]);
    const { model, stream } = members;
    if (typeof model !== "string" || model === "") {
      return { status: 400, code: "model_missing", message: "the request names no model" };
    }
    const route = resolveRoute(config, model);
    return { route, stream: stream === true, conversation: conversationOf(headers, members, text) };
  } catch (error) {
    if (isUnderstudyError(error, "route_unknown"))
      return { status: 404, code: "model_not_found", message: error.message };
    if (isUnderstudyError(error)) return { status: 400, code: "invalid_json", message: error.message };
    throw error;
  }
}

export function isRefusal(asked: Asked | Refusal): asked is Refusal {
  return "status" in asked;
}
