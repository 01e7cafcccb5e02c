import type { ModelRequest } from "../answer.ts";
import type { Objection } from "./dialect.ts";
import { arrayOf, type Fields, fieldsOf, textOf } from "./fields.ts";

const roles = ["system", "developer", "user", "assistant", "tool"];

/** Reads a Chat Completions request and objects to what OpenAI's API objects to. */
export function readChatRequest(body: Fields): ModelRequest | Objection {
  if (typeof body.model !== "string" || body.model === "") return refuse("you must provide a model parameter");
  const messages = arrayOf(body.messages).map(fieldsOf);
  const objection = checkMessages(messages) ?? checkCalls(messages);
  if (objection !== null) return objection;
  const people = messages.filter((message) => message.role === "user");
  return {
    model: body.model,
    stream: body.stream === true,
    prompt: textOf(people.at(-1)?.content),
    tools: arrayOf(body.tools)
      .map((tool) => fieldsOf(fieldsOf(tool).function))
      .filter((tool) => typeof tool.name === "string")
      .map((tool) => ({ name: String(tool.name), schema: tool.parameters })),
    includeUsage: fieldsOf(body.stream_options).include_usage === true,
    sealed: [],
    body,
  };
}

function checkMessages(messages: readonly Fields[]): Objection | null {
  if (messages.length === 0) {
    return refuse(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "messages",
    );
  }
  for (const [index, message] of messages.entries()) {
    if (!roles.includes(String(message.role))) {
      return refuse(
        `Invalid value: '${String(message.role)}'. Supported values are: ${roles.join(", ")}.`,
        `messages[${index}].role`,
      );
    }
    if (message.role === "assistant" && message.content == null && arrayOf(message.tool_calls).length === 0) {
      return refuse("Invalid value for 'content': expected a string, got null.", `messages[${index}].content`);
    }
    if (Array.isArray(message.tool_calls) && message.tool_calls.length === 0) {
      const param = `messages[${index}].tool_calls`;
      return refuse(`Invalid '${param}': empty array. Expected an array with minimum length 1.`, param);
    }
  }
  return null;
}

/** The calls of a message are answered by the tool messages right after it, each by its id, and nothing else is. */
function checkCalls(messages: readonly Fields[]): Objection | null {
  let open: string[] = [];
  let place = "messages";
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      const id = String(message.tool_call_id);
      if (!open.includes(id)) {
        return refuse(
          "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
          `messages[${index}].role`,
        );
      }
      open = open.filter((other) => other !== id);
      continue;
    }
    if (open.length > 0) return unanswered(open, place);
    open = arrayOf(message.tool_calls).map((call) => String(fieldsOf(call).id));
    place = `messages[${index + 1}].role`;
    const long = open.findIndex((id) => id.length > 40);
    if (long !== -1) {
      const param = `messages[${index}].tool_calls[${long}].id`;
      return refuse(`Invalid '${param}': string too long. Expected a string with maximum length 40.`, param);
    }
  }
  return open.length > 0 ? unanswered(open, place) : null;
}

function unanswered(ids: readonly string[], param: string): Objection {
  return refuse(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids.join(", ")}`,
    param,
  );
}

function refuse(message: string, param?: string): Objection {
  return param === undefined ? { status: 400, message } : { status: 400, message, param };
}
