import type { JsonObject } from "../canonical.ts";
import { parseObject } from "../read-json.ts";
import type { ToolIdRule } from "../tool-id.ts";

/** Anthropic's pattern for `tool_use` ids: `^[a-zA-Z0-9_-]+$`; 64 characters are accepted everywhere. */
export const toolIdRule: ToolIdRule = { maxLength: 64, forbidden: /[^A-Za-z0-9_-]/g };

/**
 * The input of a call as the object that Anthropic wants. What a model wrote that is no JSON object goes in under one
 * key, so that nothing of it is lost.
 */
export function inputObject(input: string): JsonObject {
  if (input.trim() === "") return {};
  return parseObject(input) ?? { malformed_input: input };
}
