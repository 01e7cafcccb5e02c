import { inStreamNames } from "../faults.ts";
import { sse } from "../reply.ts";
import { codexRefusals } from "./codex-errors.ts";
import type { Dialect, Objection, WireContext } from "./dialect.ts";
import { openaiObjection, openaiRefusals } from "./openai-errors.ts";
import { ResponsesAnswer } from "./responses-answer.ts";
import type { ResponsesFlavour } from "./responses-failures.ts";
import { readResponsesRequest } from "./responses-request.ts";
import type { Fields } from "./fields.ts";

/** The Responses API, as Codex's backend or as the public API speaks it. */
export function createResponsesDialect(flavour: ResponsesFlavour): Dialect {
  /** Ids of items, each behind the credential that may refer to it. */
  const stored = new Set<string>();
  return {
    read(body, credential) {
      const objection = flavour === "codex" ? codexObjection(body) : null;
      return (
        objection ??
        readResponsesRequest(body, {
          isOwnSeal: (sealed) => sealed.startsWith(sealOf(credential)),
          isStored: (id) => stored.has(`${credential} ${id}`),
        })
      );
    },
    writer(answer, context) {
      const store = (id: string): void => {
        if (context.request.body.store !== false) stored.add(`${context.credential} ${id}`);
      };
      return new ResponsesAnswer(answer, context, flavour, { seal, store });
    },
    refusals: flavour === "codex" ? codexRefusals : openaiRefusals,
    inStream: inStreamNames,
    object: openaiObjection,
    endsWithDone: false,
    callIdPrefix: "call_",
    odd: {
      malformed: 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"bro\n\n',
      unknown: sse(
        { type: "response.simulated.novelty", sequence_number: 0, payload: {} },
        "response.simulated.novelty",
      ),
      huge: (size) => sse({ type: "response.simulated.huge", padding: "x".repeat(size) }, "response.simulated.huge"),
      keepAlive: ": keep-alive\n\n",
    },
  };
}

/** What Codex's backend refuses that the public API takes. */
function codexObjection(body: Fields): Objection | null {
  const refuse = (message: string): Objection => ({ status: 400, message, asDetail: true });
  if (body.stream !== true) return refuse("Stream must be set to true");
  if (body.store !== false) return refuse("Store must be set to false");
  for (const parameter of ["max_output_tokens", "previous_response_id"]) {
    if (body[parameter] !== undefined && body[parameter] !== null) return refuse(`Unsupported parameter: ${parameter}`);
  }
  return null;
}

/** Sealed reasoning: only the credential it was made for can send it back. */
function seal(context: WireContext): string {
  return context.nextId(sealOf(context.credential));
}

function sealOf(credential: string): string {
  return `gAAAAA.${Buffer.from(credential).toString("base64url")}.`;
}
