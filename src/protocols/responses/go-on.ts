import type { Json, JsonObject } from "../canonical.ts";
import { goOnInstruction } from "../go-on.ts";

/** The API has no answer that is given its beginning, so the model is told in words. */
export function askToGoOn(body: JsonObject, said: string): { body: JsonObject; prefilled: boolean } {
  const { input } = body;
  const history: Json[] = Array.isArray(input) ? input : input == null ? [] : [message("user", "input_text", input)];
  return {
    body: {
      ...body,
      input: [...history, message("assistant", "output_text", said), message("user", "input_text", goOnInstruction)],
    },
    prefilled: false,
  };
}

function message(role: string, type: string, text: Json): JsonObject {
  return { type: "message", role, content: [{ type, text }] };
}
