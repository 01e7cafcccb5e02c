import type { JsonObject } from "../canonical.ts";
import { objectsAt } from "../read-json.ts";
import { goOnInstruction } from "../go-on.ts";

/**
 * Servers of this protocol agree on nothing about an answer that is given its beginning, so they are told in words. One answer goes on, however
 * many its caller had asked for.
 */
export function askToGoOn(body: JsonObject, said: string): { body: JsonObject; prefilled: boolean } {
  const messages = [
    ...objectsAt(body, "messages"),
    { role: "assistant", content: said },
    { role: "user", content: goOnInstruction },
  ];
  const { n: _, ...rest } = body;
  return { body: { ...rest, messages }, prefilled: false };
}
