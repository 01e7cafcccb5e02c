import type { ToolIdRule } from "../tool-id.ts";

/** What OpenAI accepts as a `call_id`. */
export const callIdRule: ToolIdRule = { maxLength: 64, forbidden: /[^a-zA-Z0-9_-]/g };
