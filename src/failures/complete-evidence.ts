import { errorLayers, type Fields, isFields } from "./error-layers.ts";
import type { Evidence } from "./evidence.ts";
import { readErrorValue } from "./read-error-body.ts";

/**
 * The evidence with what its body says filled in where the protocol left it out, and an error that stands as JSON inside
 * the message unpacked. Fields that are not of their type are dropped: some of them may be a provider's, unchecked.
 */
export function completeEvidence(evidence: Evidence): Evidence {
  const given = checked(evidence);
  const { body, message = "" } = given;
  const said = errorLayers(body).length > 0 ? readErrorValue(body, given.status) : {};
  const wrapped =
    message.includes("{") && errorLayers({ message }).length > 1
      ? readErrorValue({ message }, said.status ?? given.status)
      : {};
  // A code and a type belong together: those of one source, not of two.
  const named = [given, said, wrapped].find(({ code, type }) => code !== undefined || type !== undefined);
  const status = wrapped.status ?? said.status ?? given.status;
  const event = eventWithin(body);
  const words = wrapped.message ?? (emptyAnswer.test(message) ? said.message : undefined);
  return {
    ...(event !== undefined && { event }),
    ...said,
    ...given,
    ...(words !== undefined && { message: words }),
    ...(status !== undefined && { status }),
    ...(named !== undefined && { code: named.code, type: named.type }),
  };
}

/** What the protocols say of a 200 without an answer in it. The body may know better: MiniMax refuses so. */
const emptyAnswer = /^empty answer\b/;

/** The stream event that `body` is, or would have been: a whole answer of the Responses API tells by its status. */
function eventWithin(body: unknown): string | undefined {
  if (!isFields(body)) return undefined;
  const { type, status } = body;
  if (typeof type === "string" && /^(?:error|response\.[a-z_]+)$/.test(type)) return type;
  return status === "failed" || status === "cancelled" || status === "incomplete" ? `response.${status}` : undefined;
}

const textFields = [
  "protocol",
  "provider",
  "code",
  "type",
  "param",
  "message",
  "event",
  "finishReason",
  "networkCode",
  "text",
];

function checked(evidence: Evidence): Evidence {
  const given: Fields = isFields(evidence) ? { ...evidence } : {};
  const { phase, status, headers, upstream, body } = given;
  const kept: Record<string, unknown> = { phase, body };
  for (const field of textFields) {
    if (typeof given[field] === "string" && given[field] !== "") kept[field] = given[field];
  }
  if (typeof status === "number" && Number.isInteger(status) && status >= 100 && status <= 599) kept["status"] = status;
  if (upstream === true) kept["upstream"] = true;
  if (isFields(headers)) {
    kept["headers"] = Object.fromEntries(Object.entries(headers).filter(([, value]) => typeof value === "string"));
  }
  return kept as unknown as Evidence;
}
