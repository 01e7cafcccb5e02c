import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Route } from "../core/target.ts";
import type { CanonicalRequest, JsonObject, Tool, ToolChoice } from "../protocols/canonical.ts";
import { defined } from "../protocols/read-json.ts";
import { readCallOptions, readEffort, type UnderstudyCallOptions } from "./call-options.ts";
import { writeMessages } from "./prompt.ts";
import { readStamp } from "./stamp.ts";
import { Warnings } from "./warnings.ts";

/** What a call of the AI SDK comes to. */
export interface WrittenCall {
  readonly request: CanonicalRequest;
  /** Who gave the last answer of this conversation, if we did: its prompt cache is there. */
  readonly preferredCredentialId: string | undefined;
  readonly warnings: Warnings;
}

/** The AI SDK's call → the neutral form. Throws `usage` for a wrong value under `providerOptions.understudy`. */
export function writeCall(options: LanguageModelV4CallOptions, route: Route, stream: boolean): WrittenCall {
  const warnings = new Warnings();
  const own = readCallOptions(options.providerOptions, warnings);
  warnOfSettings(options, warnings);
  const tools = writeTools(options.tools, warnings);
  const request: CanonicalRequest = {
    messages: writeMessages(options.prompt, route, warnings),
    ...defined("tools", tools.length === 0 ? undefined : tools),
    ...defined("toolChoice", tools.length === 0 ? undefined : writeToolChoice(options.toolChoice, tools)),
    ...defined("parallelToolCalls", own.parallelToolCalls),
    ...defined("maxOutputTokens", options.maxOutputTokens),
    ...defined("temperature", options.temperature),
    ...defined("topP", options.topP),
    ...defined("stop", options.stopSequences),
    ...defined("reasoningEffort", readEffort(options.reasoning, own, warnings)),
    ...defined("responseFormat", writeResponseFormat(options.responseFormat, own)),
    stream,
  };
  return { request, preferredCredentialId: lastCredential(options.prompt), warnings };
}

/** Settings of which the protocols share no notion. */
const settings = ["topK", "presencePenalty", "frequencyPenalty", "seed"] as const;

function warnOfSettings(options: LanguageModelV4CallOptions, warnings: Warnings): void {
  for (const name of settings) if (options[name] !== undefined) warnings.unsupported(name);
  if (options.includeRawChunks === true) warnings.unsupported("includeRawChunks");
  // The AI SDK itself names a user agent in every call.
  const headers = Object.keys(options.headers ?? {}).filter((name) => name.toLowerCase() !== "user-agent");
  if (headers.length > 0) {
    warnings.unsupported("headers", `${headers.join(", ")}: which provider would get them is not known beforehand`);
  }
}

function writeTools(tools: LanguageModelV4CallOptions["tools"], warnings: Warnings): Tool[] {
  return (tools ?? []).flatMap((tool): Tool[] => {
    if (tool.type === "provider") {
      warnings.unsupported(`tool ${tool.id}`, "a tool of one provider; the next one on the route has no such thing");
      return [];
    }
    if ((tool.inputExamples?.length ?? 0) > 0) {
      warnings.unsupported("inputExamples", "addToolInputExamplesMiddleware puts them into the description");
    }
    return [
      {
        name: tool.name,
        schema: tool.inputSchema as JsonObject,
        ...defined("description", tool.description),
        ...defined("strict", tool.strict),
      },
    ];
  });
}

/** A choice of a tool that could not be carried is none. */
function writeToolChoice(
  choice: LanguageModelV4CallOptions["toolChoice"],
  tools: readonly Tool[],
): ToolChoice | undefined {
  if (choice?.type !== "tool") return choice?.type;
  return tools.some(({ name }) => name === choice.toolName) ? { name: choice.toolName } : undefined;
}

function writeResponseFormat(
  format: LanguageModelV4CallOptions["responseFormat"],
  { strictJsonSchema }: UnderstudyCallOptions,
): CanonicalRequest["responseFormat"] {
  if (format?.type !== "json") return undefined;
  const schema = format.schema as JsonObject | undefined;
  if (schema === undefined) return {};
  return {
    schema: format.description === undefined ? schema : { description: format.description, ...schema },
    ...defined("name", format.name),
    ...defined("strict", strictJsonSchema),
  };
}

function lastCredential(prompt: LanguageModelV4Prompt): string | undefined {
  for (const message of prompt.toReversed()) {
    if (message.role !== "assistant") continue;
    for (const part of message.content) {
      const stamp = readStamp(part.providerOptions);
      if (stamp !== null) return stamp.issuer.credential;
    }
    // The last answer is somebody else's.
    return undefined;
  }
  return undefined;
}
