import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import type { CanonicalRequest, JsonObject, Message, Part } from "../../src/protocols/canonical.ts";
import type { Protocol, StreamVerdict } from "../../src/protocols/protocol.ts";
import { isObject } from "../../src/protocols/read-json.ts";
import type { SseEvent } from "../../src/protocols/sse.ts";
import { eventsOf } from "../protocols/events-of.ts";
import { answerParts, anyHistory, wildEvent, wildJson } from "./protocol-arbitraries.ts";

/** Pieces of this protocol's wire for the suite to put together. Streams are SSE text. */
export interface ProtocolSamples {
  /** How a stream begins: events that tell the caller nothing, reasoning among them. */
  readonly preamble: string;
  /** Each one event that tells the caller something. */
  readonly content: readonly string[];
  /** What makes a stream complete. */
  readonly end: string;
  /** One event that says the answer failed. */
  readonly error: string;
  /** An error where an answer was due, in a 200. */
  readonly errorIn200: JsonObject;
  /** Bodies of a 200 that are no answer at all. */
  readonly noAnswers: readonly unknown[];
  /** A request whose history holds what only its issuer can read. */
  readonly issuersRequest: JsonObject;
}

/** What every protocol must do, whatever it looks like on the wire. */
export function describeProtocol(protocol: Protocol, samples: ProtocolSamples): void {
  describe(`${protocol.name}: reading a stream`, () => {
    const first = samples.content[0] ?? "";

    it("finds nothing but preamble before the content", () => {
      const { kinds } = read(protocol, samples.preamble);
      expect(kinds.length).toBeGreaterThan(1);
      expect(new Set(kinds)).toEqual(new Set(["preamble"]));
    });

    it.each(samples.content.map((content) => [eventsOf(content)[0]?.data, content]))(
      "finds the content in %s",
      (_, content) => {
        expect(eventsOf(content)).toHaveLength(1);
        expect(read(protocol, samples.preamble + content).kinds.at(-1)).toBe("content");
      },
    );

    it("finds the end last, and only there", () => {
      const { kinds, end } = read(protocol, samples.preamble + first + samples.end);
      expect(kinds.indexOf("end")).toBe(kinds.length - 1);
      expect(end).toBeNull();
    });

    it("never takes a stream for complete that is cut before its end, after whichever event", () => {
      const events = eventsOf(samples.preamble + samples.content.join(""));
      for (let count = 0; count <= events.length; count++) {
        const reader = protocol.createStreamReader();
        for (const event of events.slice(0, count)) reader.read(event);
        expect(reader.end()).toMatchObject({ phase: "end", protocol: protocol.name, message: expect.any(String) });
      }
    });

    it("tells a failure before content from one after it", () => {
      for (const [before, phase] of [
        [samples.preamble, "head"],
        [samples.preamble + first, "stream"],
      ] as const) {
        const { verdicts, end } = read(protocol, before + samples.error);
        expect(verdicts.at(-1)).toMatchObject({ kind: "failure", evidence: { phase, protocol: protocol.name } });
        expect(end).toMatchObject({ phase });
      }
    });

    it("passes over comments, unknown events and data that is no JSON", () => {
      const noise = ': hello\n\nevent: news\ndata: {"type":"vendor.news"}\n\ndata: not json\n\n';
      const { kinds } = read(protocol, noise + samples.preamble + noise + first + noise + samples.end);
      expect(kinds.filter((kind) => kind !== "preamble")).toEqual(["content", "end"]);
    });

    it("marks data that is no JSON object, so that it is passed on to nobody, and [DONE] not", () => {
      const reader = protocol.createStreamReader();
      const verdicts = ['{"a":', "[1]", "[DONE]"].map((data) => reader.read({ event: null, data }));
      expect(verdicts.map((verdict) => "malformed" in verdict)).toEqual([true, true, false]);
    });
  });

  describe(`${protocol.name}: reading a whole answer`, () => {
    it("finds the error in a 200", () => {
      expect(protocol.readAnswer(samples.errorIn200)).toMatchObject({
        kind: "failure",
        evidence: { phase: "head", protocol: protocol.name, message: expect.any(String) },
      });
    });

    it.each(samples.noAnswers)("takes %j for no answer", (body) => {
      expect(protocol.readAnswer(body)).toMatchObject({ kind: "failure", evidence: { phase: "head" } });
    });

    it("reads an error answer of any status, and its own errors", () => {
      const error = { status: 429, type: "rate_limit_error", code: "slow", message: "Slow down." };
      const { body, event } = protocol.encodeError(error);
      expect(protocol.readError(429, {}, JSON.stringify(body))).toMatchObject({
        phase: "headers",
        protocol: protocol.name,
        status: 429,
        message: "Slow down.",
      });
      expect(protocol.readAnswer(body)).toMatchObject({ kind: "failure", evidence: { message: "Slow down." } });
      const [told] = read(protocol, event).verdicts;
      expect(told).toMatchObject({ kind: "failure", evidence: { message: "Slow down." } });
    });
  });

  describe(`${protocol.name}: parts there and back`, () => {
    const options = { model: "m", id: "id_1" };

    it("writes streams that its reader finds content in, then the end, with their usage", () => {
      fc.assert(
        fc.property(answerParts, (parts) => {
          const reader = protocol.createStreamReader();
          const kinds = encoded(protocol, parts).map((event) => reader.read(event).kind);
          expect(kinds[0]).toBe("preamble");
          expect(kinds).toContain("content");
          expect(kinds.indexOf("end")).toBe(kinds.length - 1);
          expect(reader.end()).toBeNull();
          expect(reader.usage).toEqual(finishOf(parts)?.usage);
        }),
      );
    });

    it("keeps text, reasoning, tool calls, finish and usage through a stream", () => {
      fc.assert(
        fc.property(answerParts, (parts) => {
          expect(summary(decoded(protocol, encoded(protocol, parts)))).toEqual(summary(parts));
        }),
      );
    });

    it("keeps them through a whole answer, and through a stream that is folded into one", () => {
      fc.assert(
        fc.property(answerParts, (parts) => {
          const whole = protocol.encodeAnswer(parts, options);
          expect(protocol.readAnswer(whole)).toEqual({ kind: "answer", usage: finishOf(parts)?.usage });
          expect(summary(protocol.decodeAnswer(whole))).toEqual(summary(parts));
          expect(summary(protocol.decodeAnswer(protocol.foldStream(encoded(protocol, parts))))).toEqual(summary(parts));
        }),
      );
    });

    it("opens and closes every block it decodes, and ends with one finish", () => {
      fc.assert(
        fc.property(answerParts, (parts) => {
          const open = new Set<string>();
          const result = decoded(protocol, encoded(protocol, parts));
          expect(result[0]?.type).toBe("response-start");
          expect(result.findIndex(({ type }) => type === "finish")).toBe(result.length - 1);
          for (const part of result) {
            if (part.type === "response-start" || part.type === "finish") continue;
            const key = `${part.type.startsWith("tool") ? "tool" : part.type.split("-")[0]} ${part.id}`;
            const opens = part.type.endsWith("-start");
            expect(open.has(key)).toBe(!opens);
            if (opens) open.add(key);
            if (part.type.endsWith("-end") || part.type === "tool-call") open.delete(key);
          }
          expect(open.size).toBe(0);
        }),
      );
    });

    it("gives no finish for a stream that is cut", () => {
      fc.assert(
        fc.property(answerParts, fc.nat(), (parts, at) => {
          const cutParts = parts.slice(0, 1 + (at % (parts.length - 1)));
          expect(finishOf(decoded(protocol, encoded(protocol, cutParts)))).toBeUndefined();
        }),
      );
    });
  });

  describe(`${protocol.name}: requests there and back`, () => {
    const request = (messages: readonly Message[]): CanonicalRequest => ({
      messages,
      tools: [{ name: "f", description: "F.", schema: { type: "object", properties: {} } }],
      stream: true,
    });

    it("writes any history so that it can be read, with nothing said lost and every call answered", () => {
      fc.assert(
        fc.property(anyHistory, (messages) => {
          const { body } = protocol.encodeRequest(request(messages), "some-model");
          const read = protocol.decodeRequest(body).request;
          expect(read.tools).toMatchObject(request([]).tools ?? []);
          const written = JSON.stringify(read.messages);
          for (const text of textsOf(messages)) expect(written).toContain(JSON.stringify(text).slice(1, -1));
          const calls = idsOf(read.messages, "tool-call");
          expect(calls).toHaveLength(idsOf(messages, "tool-call").length);
          expect(new Set(calls).size).toBe(calls.length);
          expect(idsOf(read.messages, "tool-result")).toEqual(calls);
        }),
      );
    });

    it("names the model and whether to stream", () => {
      for (const stream of [true, false]) {
        const { body } = protocol.encodeRequest({ ...request([]), stream }, "some-model");
        expect(body).toMatchObject({ model: "some-model", stream });
        expect(protocol.decodeRequest(body).request.stream).toBe(stream);
      }
    });

    it("takes out what only the issuer can read, once, and leaves the given request alone", () => {
      const before = structuredClone(samples.issuersRequest);
      const repaired = protocol.repairRequest(samples.issuersRequest);
      expect(repaired).not.toBeNull();
      expect(samples.issuersRequest).toEqual(before);
      expect(protocol.repairRequest(repaired ?? {})).toBeNull();
      expect(protocol.repairRequest(samples.issuersRequest, () => false)).toBeNull();
    });

    it("puts the secret into one header and nowhere else", () => {
      const headers = Object.entries(protocol.headers("s3cret"));
      expect(headers.filter(([, value]) => value.includes("s3cret"))).toHaveLength(1);
      expect(headers.every(([name]) => name === name.toLowerCase())).toBe(true);
      expect(headers).toContainEqual(["content-type", "application/json"]);
    });

    it("has one endpoint, with or without a slash at the end of the base", () => {
      expect(protocol.endpoint("https://host/base/")).toBe(protocol.endpoint("https://host/base"));
      expect(protocol.endpoint("https://host/base").startsWith("https://host/base/")).toBe(true);
    });
  });

  describe(`${protocol.name}: garbage`, () => {
    it("never makes the stream's reader, decoder or folder throw", () => {
      fc.assert(
        fc.property(fc.array(wildEvent, { maxLength: 12 }), (events) => {
          const reader = protocol.createStreamReader();
          for (const event of events) reader.read(event);
          reader.end();
          decoded(protocol, events);
          protocol.foldStream(events);
        }),
        { numRuns: 500 },
      );
    });

    it("never makes the reading of an answer or of an error throw", () => {
      fc.assert(
        fc.property(wildJson, fc.string(), fc.integer({ min: 100, max: 599 }), (value, text, status) => {
          protocol.readAnswer(value);
          if (isObject(value)) protocol.decodeAnswer(value);
          protocol.readError(status, {}, text);
          protocol.readError(status, {}, JSON.stringify(value));
        }),
        { numRuns: 500 },
      );
    });

    it("in a request is refused as such, and repairing it never throws", () => {
      fc.assert(
        fc.property(wildJson, wildJson, (value, messages) => {
          const body = { ...(isObject(value) && value), messages, input: messages } as JsonObject;
          protocol.repairRequest(body);
          const clean = (text: string): string => protocol.cleanRequest?.(text) ?? text;
          const cleaned = clean(JSON.stringify(body));
          expect(Object.keys(JSON.parse(cleaned) as JsonObject)).toEqual(Object.keys(body));
          expect(clean(cleaned)).toBe(cleaned);
          try {
            protocol.encodeRequest(protocol.decodeRequest(body).request, "m");
          } catch (error) {
            if (!isUnderstudyError(error, "request_refused")) throw error;
          }
        }),
        { numRuns: 500 },
      );
    });
  });
}

function read(
  protocol: Protocol,
  text: string,
): { verdicts: StreamVerdict[]; kinds: StreamVerdict["kind"][]; end: unknown } {
  const reader = protocol.createStreamReader();
  const verdicts = eventsOf(text).map((event) => reader.read(event));
  return { verdicts, kinds: verdicts.map(({ kind }) => kind), end: reader.end() };
}

function encoded(protocol: Protocol, parts: readonly Part[]): SseEvent[] {
  const encoder = protocol.createStreamEncoder({ model: "m", id: "id_1" });
  return eventsOf(parts.map((part) => encoder.encode(part)).join(""));
}

function decoded(protocol: Protocol, events: readonly SseEvent[]): Part[] {
  const decoder = protocol.createStreamDecoder();
  return [...events.flatMap((event) => decoder.decode(event)), ...(decoder.end?.() ?? [])];
}

function finishOf(parts: readonly Part[]): Extract<Part, { type: "finish" }> | undefined {
  return parts.find((part) => part.type === "finish");
}

/** What parts say, however they are cut: the input of calls as the value it stands for. */
function summary(parts: readonly Part[]): object {
  const joined = (type: Part["type"]): string =>
    parts.map((part) => (part.type === type && "text" in part ? part.text : "")).join("");
  return {
    text: joined("text-delta"),
    reasoning: joined("reasoning-delta"),
    calls: parts.flatMap((part) =>
      part.type === "tool-call" ? [{ id: part.id, name: part.name, input: JSON.parse(part.input) as unknown }] : [],
    ),
    finish: finishOf(parts),
  };
}

function textsOf(messages: readonly Message[]): string[] {
  return messages
    .filter(({ role }) => role !== "tool")
    .flatMap(({ content }) => content.flatMap((item) => (item.type === "text" ? item.text.trim() : "")));
}

function idsOf(messages: readonly Message[], type: "tool-call" | "tool-result"): string[] {
  return messages.flatMap(({ content }) =>
    content.flatMap((item) => (item.type === type && "id" in item ? [item.id] : [])),
  );
}
