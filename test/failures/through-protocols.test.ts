import { describe, expect, it } from "vitest";
import { classifyFailure } from "../../src/failures/classify.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import { protocols } from "../../src/protocols/index.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";
import { type Fixture, fixtures, receivedAt } from "./fixture.ts";

/** What the fixture's protocol makes of what came over the wire; null when it sees no failure in it. */
function evidenceBy(protocol: Protocol, fixture: Fixture): Evidence | null {
  const { body, data, status = 200, headers = {}, event = null } = fixture;
  if (data !== undefined) {
    const verdict = protocol.createStreamReader().read({ event, data: JSON.stringify(data) });
    return verdict.kind === "failure" ? verdict.evidence : null;
  }
  if (status < 300 && typeof body === "object") {
    const verdict = protocol.readAnswer(body);
    return verdict.kind === "failure" ? { headers, status, ...verdict.evidence } : null;
  }
  return protocol.readError(status, headers, typeof body === "string" ? body : JSON.stringify(body));
}

/** An answer that is cut at the caller's own limit is an answer: the protocol never asks about it. */
const answers = new Set(["response-incomplete.json"]);

const onTheWire = fixtures.filter(
  ({ file, body, data }) => (body !== undefined || data !== undefined) && !answers.has(file),
);

describe("failures read by their own protocol", () => {
  it.each(onTheWire.map((fixture) => [fixture.file, fixture] as const))("%s", (_file, fixture) => {
    const protocol = protocols[fixture.protocol ?? "responses"];
    const evidence = evidenceBy(protocol, fixture);
    if (evidence === null) throw new Error("the protocol sees no failure");
    const provider = fixture.provider === undefined ? {} : { provider: fixture.provider };
    const failure = classifyFailure({ ...evidence, ...provider }, { now: receivedAt });
    const { row, reason, scope, next } = fixture.expect;
    expect(failure).toMatchObject({ row, reason, scope, next });
    expect(failure.retryAt === undefined ? undefined : new Date(failure.retryAt).toISOString()).toBe(
      fixture.expect.retryAt,
    );
  });
});
