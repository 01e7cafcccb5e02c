import type { Call } from "../role.ts";
import type { Objection } from "../wire/dialect.ts";
import type { Caller } from "./backend.ts";
import { bearerOf } from "./bearer.ts";
import type { KeyRing } from "./key-ring.ts";

/** `Authorization: Bearer KEY`, as OpenAI and the servers that follow it want it. */
export function authenticateBearer(call: Call, keys: KeyRing, required: boolean): Caller | Objection {
  const presented = bearerOf(call);
  if (presented === null) {
    if (!required && call.headers.authorization === undefined) {
      return { credential: "anonymous", plan: "none", presented: "" };
    }
    return { status: 401, message: "You didn't provide an API key." };
  }
  const key = keys.find(presented);
  if (key === null) {
    if (!required) return { credential: "anonymous", plan: "none", presented };
    return { status: 401, message: "Incorrect API key provided.", code: "invalid_api_key" };
  }
  return { credential: key.name, plan: "api", presented };
}

/** The body of `GET /v1/models`. */
export function modelList(models: readonly string[]): object {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 1_700_000_000, owned_by: "simulator" })),
  };
}
