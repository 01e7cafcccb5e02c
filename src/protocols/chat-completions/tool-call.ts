import type { ToolIdRule } from "../tool-id.ts";

/** OpenAI refuses ids of tool calls that are longer than 40 characters. */
export const toolIdRule: ToolIdRule = { maxLength: 40, forbidden: /[\s]/g };
