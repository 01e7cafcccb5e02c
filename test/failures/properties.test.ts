import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestBelievedMs } from "../../src/core/cooldown.ts";
import { nextSteps, reasons, scopes } from "../../src/core/failure.ts";
import { classifyFailure, unmatchedRow } from "../../src/failures/classify.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import { rankOf } from "../../src/failures/match.ts";
import { readErrorBody } from "../../src/failures/read-error-body.ts";
import { failureTable } from "../../src/failures/table.ts";
import { evidenceOf, fixtures } from "./fixture.ts";

const now = Date.parse("2026-10-01T12:00:00Z");
const rowNames = new Set([...failureTable.map((row) => row.name), unmatchedRow]);

const anything = fc.anything({
  withNullPrototype: true,
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
});
const fields = [
  "protocol",
  "provider",
  "status",
  "headers",
  "code",
  "type",
  "param",
  "message",
  "event",
  "finishReason",
  "networkCode",
  "body",
  "text",
  "upstream",
];

/** Evidence whose fields may be anything at all: a provider's body copied in unchecked. */
const hostile = fc
  .dictionary(fc.constantFrom("phase", ...fields), fc.oneof(anything, fc.string(), fc.json()))
  .map((evidence) => evidence as unknown as Evidence);

/** Evidence that mixes parts of what is really seen: one failure's status with another's words and a third one's headers. */
const parts = fixtures.map(evidenceOf);
const mixed = fc
  .record({
    base: fc.constantFrom(...parts),
    status: fc.constantFrom(...parts),
    headers: fc.constantFrom(...parts),
    words: fc.constantFrom(...parts),
    body: fc.constantFrom(...parts),
  })
  .map(
    ({ base, status, headers, words, body }): Evidence => ({
      ...base,
      ...(status.status !== undefined && { status: status.status }),
      ...(headers.headers !== undefined && { headers: headers.headers }),
      ...(words.message !== undefined && { message: words.message }),
      ...(words.text !== undefined && { text: words.text }),
      ...(body.body !== undefined && { body: body.body }),
    }),
  );

function expectWellFormed(evidence: Evidence): void {
  const failure = classifyFailure(evidence, { now });
  expect(reasons).toContain(failure.reason);
  expect(scopes).toContain(failure.scope);
  expect(nextSteps).toContain(failure.next);
  expect(rowNames).toContain(failure.row);
  expect(failure.message.length).toBeGreaterThan(0);
  expect(failure.message.length).toBeLessThanOrEqual(500);
  expect(failure.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  if (failure.retryAt !== undefined) {
    expect(failure.retryAt).toBeGreaterThan(now);
    expect(failure.retryAt).toBeLessThanOrEqual(now + longestBelievedMs);
  }
  if (failure.status === 429) expect(["auth", "relogin_required"]).not.toContain(failure.reason);
  // It goes to the journal and over the wire as it is.
  expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
}

describe("any failure", () => {
  it("has a well-formed verdict, whatever its evidence holds", () => {
    fc.assert(fc.property(hostile, expectWellFormed), { numRuns: 2_000 });
  });

  it("has a well-formed verdict, whatever parts of real failures meet", () => {
    fc.assert(fc.property(mixed, expectWellFormed), { numRuns: 2_000 });
  });

  it("has a well-formed verdict for any status, headers and bytes", () => {
    const names = fc.constantFrom(
      "retry-after",
      "x-ratelimit-reset",
      "x-codex-primary-reset-at",
      "content-type",
      "anthropic-ratelimit-unified-reset",
      "cf-mitigated",
      "__proto__",
    );
    const headers = fc.dictionary(
      names,
      fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom("text/html", "challenge", "6m0s")),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((raw) => new TextDecoder().decode(raw)),
      fc.json(),
      fc.constant("<html>"),
    );
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 700 }), headers, bytes, (status, sent, text) => {
        expectWellFormed({ phase: "headers", ...readErrorBody(status, sent, text) });
      }),
      { numRuns: 2_000 },
    );
  });

  it("is not evidence at all", () => {
    for (const nothing of [null, undefined, 0, "text", []]) expectWellFormed(nothing as unknown as Evidence);
  });

  it("has the same verdict twice, and its evidence is left as it was", () => {
    fc.assert(
      fc.property(mixed, (evidence) => {
        const before = JSON.stringify(evidence);
        const first = classifyFailure(evidence, { now });
        expect(classifyFailure(evidence, { now })).toEqual(first);
        expect(JSON.stringify(evidence)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a code that says something", () => {
  /** Names that decide wherever they stand: not bound to a provider, not a fallback. */
  const free = failureTable.filter((row) => row.where === undefined && rankOf(row) === "code");
  const codes = [...new Set(free.flatMap((row) => row.match.code ?? []))];
  /** Names are compared without regard to case, and two rows may spell one differently. */
  const lowered = (names: readonly string[] = []): string[] => names.map((name) => name.toLowerCase());
  const words = fc.oneof(fc.constantFrom(...fixtures.map((fixture) => evidenceOf(fixture).message ?? "")), fc.string());

  it("is never outranked by words", () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), words, (code, message) => {
        const { row } = classifyFailure({ phase: "head", code, message }, { now });
        const decided = failureTable.find(({ name }) => name === row);
        expect(lowered(decided?.match.code), `${code} lost to ${row}`).toContain(code.toLowerCase());
      }),
      { numRuns: 3_000 },
    );
  });

  it("means the same as a type", () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), words, (name, message) => {
        const { row } = classifyFailure({ phase: "head", type: name, message }, { now });
        const decided = failureTable.find((other) => other.name === row);
        // A row of the rank of types may be narrower than the code's own.
        const named = [...lowered(decided?.match.code), ...lowered(decided?.match.type as readonly string[])];
        expect(named).toContain(name.toLowerCase());
      }),
      { numRuns: 3_000 },
    );
  });

  it("beats another name in the type", () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.constantFrom(...codes), (code, type) => {
        const { row } = classifyFailure({ phase: "head", code, type, message: "" }, { now });
        const decided = failureTable.find(({ name }) => name === row);
        expect(lowered(decided?.match.code)).toContain(code.toLowerCase());
      }),
      { numRuns: 2_000 },
    );
  });
});
