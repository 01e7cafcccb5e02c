import type { JsonObject } from "../canonical.ts";
import { goOnInstruction } from "../go-on.ts";
import { objectAt, objectsAt, stringAt } from "../read-json.ts";
import { modelRules } from "./thinking.ts";

/**
 * A Claude of a version that goes on from the beginning of its answer gets it, unless it is to think first (a beginning leaves no place for
 * that), is forced to call a tool, or the beginning ends in a blank, which Anthropic refuses. Everybody else is told in words.
 */
export function askToGoOn(
  body: JsonObject,
  said: string,
  mayPrefill: boolean,
): { body: JsonObject; prefilled: boolean } {
  const prefilled = mayPrefill && takesPrefill(body) && said === said.trimEnd();
  const messages: JsonObject[] = [...objectsAt(body, "messages"), { role: "assistant", content: said }];
  if (!prefilled) messages.push({ role: "user", content: goOnInstruction });
  return { body: { ...body, messages }, prefilled };
}

function takesPrefill(body: JsonObject): boolean {
  const model = stringAt(body, "model") ?? "";
  const thinking = stringAt(objectAt(body, "thinking"), "type") ?? "disabled";
  const choice = stringAt(objectAt(body, "tool_choice"), "type") ?? "auto";
  const isFree = thinking === "disabled" && choice !== "any" && choice !== "tool";
  return isFree && /claude/i.test(model) && modelRules(model).prefill;
}
