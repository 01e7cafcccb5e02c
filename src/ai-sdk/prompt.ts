import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ReasoningPart,
  LanguageModelV4ToolCallPart,
  LanguageModelV4ToolResultOutput,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";
import type { Route } from "../core/target.ts";
import type {
  ImageContent,
  Message,
  ReasoningContent,
  TextContent,
  ToolCallContent,
  ToolResultContent,
} from "../protocols/canonical.ts";
import { type PromptFile, writeFile } from "./file.ts";
import { readStamp } from "./stamp.ts";
import type { Warnings } from "./warnings.ts";

/**
 * The AI SDK's prompt → the neutral form.
 *
 * - Sealed reasoning goes on only if this package stamped it and its issuer is on the route.
 * - Calls that a provider has run itself are left out with their results: elsewhere nobody could have made them.
 * - A file that can't travel leaves a bracketed word in its place, so that the model knows of it.
 * - What parts say to other providers (`providerOptions.anthropic` and the like) is not carried.
 */
export function writeMessages(prompt: LanguageModelV4Prompt, route: Route, warnings: Warnings): Message[] {
  return prompt.map((message): Message => {
    switch (message.role) {
      case "system":
        return { role: "system", content: [{ type: "text", text: message.content }] };
      case "user":
        return {
          role: "user",
          content: message.content.map((part) =>
            part.type === "text" ? textContent(part.text) : (writeFile(part) ?? placeholder(part, warnings)),
          ),
        };
      case "assistant":
        return { role: "assistant", content: writeAssistant(message.content, route, warnings) };
      case "tool":
        return { role: "tool", content: writeResults(message.content, warnings) };
    }
  });
}

type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];
type ToolPart = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];

function writeAssistant(
  parts: readonly AssistantPart[],
  route: Route,
  warnings: Warnings,
): (TextContent | ReasoningContent | ToolCallContent)[] {
  return parts.flatMap((part): (TextContent | ReasoningContent | ToolCallContent)[] => {
    switch (part.type) {
      case "text":
        return [textContent(part.text)];
      case "reasoning":
        return [writeReasoning(part, route)];
      case "tool-call":
        if (part.providerExecuted !== true) return [writeCall(part)];
        warnings.unsupported("tools that a provider runs", `the call of ${part.toolName} is left out`);
        return [];
      case "tool-result":
        warnings.unsupported("tools that a provider runs", `the result of ${part.toolName} is left out`);
        return [];
      case "file":
        return [placeholder(part, warnings)];
      case "reasoning-file":
        warnings.unsupported("files in reasoning");
        return [];
      case "custom":
        warnings.unsupported(`content of kind ${part.kind}`);
        return [];
    }
  });
}

function writeReasoning(part: LanguageModelV4ReasoningPart, route: Route): ReasoningContent {
  const stamp = readStamp(part.providerOptions);
  const content: ReasoningContent = { type: "reasoning", text: part.text };
  if (stamp?.opaque === undefined) return content;
  const { issuer, opaque } = stamp;
  const isOnRoute = route.targets.some(
    (target) => target.provider === issuer.provider && target.model === issuer.model,
  );
  return isOnRoute ? { ...content, opaque } : content;
}

/** An input that the model wrote and nobody could parse comes as a string: it goes back as it was written. */
function writeCall({ toolCallId, toolName, input }: LanguageModelV4ToolCallPart): ToolCallContent {
  const text = typeof input === "string" ? input : JSON.stringify(input ?? {});
  return { type: "tool-call", id: toolCallId, name: toolName, input: text };
}

function writeResults(parts: readonly ToolPart[], warnings: Warnings): ToolResultContent[] {
  return parts.flatMap((part) => {
    if (part.type === "tool-result") return [writeResult(part, warnings)];
    warnings.unsupported("approval of tools that a provider runs");
    return [];
  });
}

function writeResult({ toolCallId, output }: LanguageModelV4ToolResultPart, warnings: Warnings): ToolResultContent {
  const isError = output.type === "error-text" || output.type === "error-json" || output.type === "execution-denied";
  return { type: "tool-result", id: toolCallId, isError, content: writeOutput(output, warnings) };
}

function writeOutput(output: LanguageModelV4ToolResultOutput, warnings: Warnings): (TextContent | ImageContent)[] {
  switch (output.type) {
    case "text":
    case "error-text":
      return [textContent(output.value)];
    case "json":
    case "error-json":
      // A tool that returns nothing comes with an undefined value.
      return [textContent(JSON.stringify(output.value) ?? "null")];
    case "execution-denied":
      return [textContent(output.reason ?? "The person did not allow this call.")];
    case "content":
      return output.value.flatMap((part): (TextContent | ImageContent)[] => {
        if (part.type === "text") return [textContent(part.text)];
        if (part.type === "custom") {
          warnings.unsupported("custom content in tool results");
          return [];
        }
        const content = writeFile(part);
        return [content === null || content.type === "file" ? placeholder(part, warnings) : content];
      });
  }
}

function textContent(text: string): TextContent {
  return { type: "text", text };
}

function placeholder({ data, mediaType, filename }: PromptFile, warnings: Warnings): TextContent {
  const what = `file of type ${mediaType}`;
  const why = data.type === "reference" ? "an uploaded file is known to its provider only" : "it can't be carried here";
  warnings.unsupported(what, why);
  return textContent(`[${what}${filename === undefined ? "" : ` (${filename})`} left out]`);
}
