import type { Failure } from "../../src/core/failure.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import type {
  CanonicalRequest,
  JsonObject,
  Message,
  Part,
  ReasoningContent,
  TextContent,
  Tool,
} from "../../src/protocols/canonical.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { editTopLevel } from "../../src/protocols/edit-json.ts";
import { responses } from "../../src/protocols/responses/index.ts";
import { http } from "./parts.ts";

export const text = (words: string): TextContent => ({ type: "text", text: words });
export const user = (words: string): Message => ({ role: "user", content: [text(words)] });
export const system = (words: string): Message => ({ role: "system", content: [text(words)] });
export const tool: Tool = { name: "terminal", schema: { type: "object", properties: {} } };

/** The body of a translated request. */
export function body(request: Partial<CanonicalRequest>, model = "gpt-5.5"): JsonObject {
  return responses.encodeRequest({ messages: [user("hi")], stream: true, ...request }, model).body;
}

/** The effort that a model is asked for; undefined when none is named. */
export const effort = (reasoningEffort: string, model: string): unknown =>
  (body({ reasoningEffort }, model)["reasoning"] as { effort?: string } | undefined)?.effort;

export const message = (words: string): JsonObject => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text: words }],
});
export const call: JsonObject = { type: "function_call", call_id: "call_1", name: "terminal", arguments: '{"a":1}' };

/** What goes out to this provider of a caller's body that asks for a service tier. */
export const sentTo = (id: string): string =>
  editTopLevel('{"model":"x","service_tier":"priority","input":"hi"}', {
    set: findProvider(builtInProviders, id)?.bodyRules?.set ?? {},
    remove: findProvider(builtInProviders, id)?.bodyRules?.remove ?? [],
  });

export const answerOf = (output: JsonObject[], more: JsonObject = {}): JsonObject => ({
  object: "response",
  status: "completed",
  output,
  ...more,
});

export const parts = (response: JsonObject): Part[] => responses.decodeAnswer(response);
export const finish = (response: JsonObject): unknown => parts(response).find((part) => part.type === "finish");

/** What stands in the error of a response that failed. */
export function failed(error: unknown, status = "failed"): Pick<Evidence, "message" | "code" | "status"> {
  const verdict = responses.readAnswer({ object: "response", status, output: [], error });
  if (verdict.kind !== "failure") throw new Error("taken for an answer");
  return verdict.evidence;
}

/** What a stream of these events means at its end. */
export function stream(...events: JsonObject[]): string {
  const reader = responses.createStreamReader();
  const kinds = events.map((event) => reader.read({ event: null, data: JSON.stringify(event) }).kind);
  return reader.end() === null ? (kinds.at(-1) ?? "nothing") : kinds.includes("failure") ? "failure" : "not complete";
}

export const created: JsonObject = { type: "response.created", response: { id: "r", status: "in_progress" } };
export const done = (item: JsonObject): JsonObject => ({ type: "response.output_item.done", output_index: 0, item });
export const completed: JsonObject = { type: "response.completed", response: { status: "completed", output: [] } };

export const sealed = (name: string, seal: string): JsonObject => ({
  type: "reasoning",
  id: name,
  summary: [],
  encrypted_content: seal,
});
export const asReasoning = (item: JsonObject): ReasoningContent => ({
  type: "reasoning",
  text: "",
  opaque: { protocol: "responses", data: item },
});
export const inputOf = (messages: readonly Message[]): JsonObject[] => body({ messages })["input"] as JsonObject[];

export const grokLogin: string =
  "You have either run out of available resources or do not have an active Grok subscription.";
const permission = "The caller does not have permission to execute the specified operation";
/** A refusal of xAI, which names a missing permission for several things. */
export const xai = (status: number, error: string): Failure => http(status, { code: permission, error }, "xai");
