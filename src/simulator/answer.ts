import type { ResolvedBehaviour, SimulatedToolCall } from "./behaviour.ts";

/** A tool the request offers. */
export interface ToolOffer {
  readonly name: string;
  readonly schema: unknown;
}

/** What a backend understood of a request, whatever its dialect. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  /** The last text a person wrote. */
  readonly prompt: string;
  readonly tools: readonly ToolOffer[];
  /** Chat completions: usage was asked for in the stream. */
  readonly includeUsage: boolean;
  /** Sealed reasoning or signatures that come back, as they are on the wire. */
  readonly sealed: readonly string[];
  /** The body as it came. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AnswerToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
}

/** What the model says, whatever the dialect. */
export interface Answer {
  readonly reasoning: string | null;
  readonly text: string | null;
  readonly toolCalls: readonly AnswerToolCall[];
  readonly finish: "stop" | "tool-calls" | "length" | "refused";
  /** Tokens, each counted once: output includes reasoning. */
  readonly usage: { readonly input: number; readonly output: number; readonly reasoning: number };
}

const thought = "First I look at what was asked. Then I answer it in one sentence.";
const sentence = "The show goes on, whoever is on the stage tonight. ";

/** The answer that a behaviour stands for. `nextId` makes the ids of tool calls. */
export function composeAnswer(behaviour: ResolvedBehaviour, request: ModelRequest, nextId: () => string): Answer {
  const { name, after } = behaviour;
  const calls = toolCallsOf(behaviour, request).map((call) => ({
    id: call.id ?? nextId(),
    name: call.name,
    input: JSON.stringify(call.input),
  }));
  const reasoning = behaviour.reasoning ?? (name === "reasoning" || after === "reasoning" ? thought : null);
  const text = behaviour.text ?? (calls.length > 0 ? null : textOf(name, request.prompt));
  const reasoningTokens = tokens(reasoning ?? "");
  const spoken = tokens(text ?? "") + calls.reduce((sum, call) => sum + tokens(call.input), 0);
  return {
    reasoning,
    text,
    toolCalls: calls,
    finish: name === "output-limit" ? "length" : calls.length > 0 ? "tool-calls" : "stop",
    usage: {
      input: tokens(JSON.stringify(request.body)),
      output: spoken + reasoningTokens,
      reasoning: reasoningTokens,
    },
  };
}

/** `text` in at least two and at most some 200 pieces, cut between words where that is possible, never inside a character. */
export function splitText(text: string): string[] {
  const characters = Array.from(text);
  if (characters.length < 2) return text === "" ? [] : [text];
  const wanted = Math.max(8, Math.ceil(characters.length / 200));
  const pieces: string[] = [];
  let piece = "";
  for (const word of text.match(/\S+\s*|\s+/gu) ?? []) {
    piece += word;
    if (piece.length >= wanted) {
      pieces.push(piece);
      piece = "";
    }
  }
  if (piece !== "") pieces.push(piece);
  if (pieces.length > 1) return pieces;
  const half = Math.ceil(characters.length / 2);
  return [characters.slice(0, half).join(""), characters.slice(half).join("")];
}

function toolCallsOf(behaviour: ResolvedBehaviour, request: ModelRequest): NonNullable<ResolvedBehaviour["toolCalls"]> {
  if (behaviour.toolCalls !== undefined) return behaviour.toolCalls;
  const first = callOf(request.tools[0], request.prompt);
  const wantsCall =
    behaviour.name === "tool-call" || behaviour.name === "cut-mid-tool-call" || behaviour.after === "tool-call";
  if (behaviour.name === "parallel-tool-calls") return [first, callOf(request.tools[1] ?? request.tools[0], "again")];
  return wantsCall ? [first] : [];
}

/** A call with a value for each required property of the tool's schema. */
function callOf(tool: ToolOffer | undefined, prompt: string): SimulatedToolCall {
  if (tool === undefined) return { name: "lookup", input: { query: prompt } };
  const schema = (tool.schema ?? {}) as {
    properties?: Record<string, { type?: unknown; enum?: unknown[] }>;
    required?: string[];
  };
  const input = (schema.required ?? []).map((name): [string, unknown] => {
    const property = schema.properties?.[name];
    return [name, property?.enum?.[0] ?? valueOf(property?.type)];
  });
  return { name: tool.name, input: Object.fromEntries(input) };
}

function valueOf(type: unknown): unknown {
  switch (type) {
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "object":
      return {};
    default:
      return "simulated";
  }
}

function textOf(name: string, prompt: string): string {
  if (name === "long-answer") return sentence.repeat(160).trimEnd();
  if (name === "output-limit") return `${sentence.repeat(3)}And then the`;
  return `The simulator heard: ${prompt.slice(0, 200)}`;
}

/** Deterministic and about right: four characters are one token. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}
