import type { JsonObject, Opaque } from "../canonical.ts";
import { objectsAt, stringAt } from "../read-json.ts";

/** Words in one content part: output text, refusal, input text. Undefined for a part that holds none. */
export function partText(part: JsonObject): string | undefined {
  return stringAt(part, "text") ?? stringAt(part, "refusal");
}

/** What a person may read of a reasoning item: its summary, else its full text (open models give that). */
export function reasoningText(item: JsonObject): string {
  return joinParts(objectsAt(item, "summary")) || joinParts(objectsAt(item, "content"));
}

/** Between two summary parts, and so between two runs of `summary_text` deltas. */
export const partSeparator = "\n\n";

function joinParts(parts: readonly JsonObject[]): string {
  return parts
    .map((part) => stringAt(part, "text") ?? "")
    .filter((text) => text !== "")
    .join(partSeparator);
}

/** The whole item, if it holds encrypted reasoning. Without that there is nothing in it that its issuer could use again. */
export function reasoningOpaque(item: JsonObject): Opaque | undefined {
  const encrypted = stringAt(item, "encrypted_content");
  return encrypted === undefined || encrypted === "" ? undefined : { protocol: "responses", data: item };
}

/** True for a call that the client runs. Other `…_call` items are run by the provider. */
export function isClientCall(type: string | undefined): type is "function_call" | "custom_tool_call" {
  return type === "function_call" || type === "custom_tool_call";
}
