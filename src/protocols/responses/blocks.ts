import type { JsonObject, Part } from "../canonical.ts";
import { isObject, numberAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { inventToolId } from "../tool-id.ts";
import { partSeparator, partText, reasoningOpaque, reasoningText } from "./items.ts";
import { canonicalToolName, wrapFreeText } from "./tools.ts";

/** One output item of an answer on its way to parts. Gives each word once, however often it is told. */
export interface OutputBlock {
  /** True for items that this block can hold. */
  accepts(type: string | undefined): boolean;
  /** True when `item`, met under another id and place, is the one that this block has told. */
  tells(item: JsonObject): boolean;
  /** `output_item.added`. */
  begin(item: JsonObject): Part[];
  /** An event about a piece of it. */
  grow(type: string, data: JsonObject): Part[];
  /** `output_item.done`, or the item in the terminal event. */
  complete(item: JsonObject): Part[];
  /** The answer is over. `incomplete`: it was cut. */
  close(incomplete: boolean): Part[];
  readonly isBegun: boolean;
  readonly isComplete: boolean;
}

/** Text that grows: what of `whole` has not been given yet. Nothing when `whole` tells another story. */
function rest(given: string, whole: string): string {
  return whole.startsWith(given) ? whole.slice(given.length) : "";
}

interface OpenText {
  readonly id: string;
  text: string;
  ended: boolean;
}

/** A message: one text block for each of its content parts. */
export class MessageBlock implements OutputBlock {
  readonly #place: number;
  readonly #texts = new Map<number, OpenText>();
  isBegun = false;
  isComplete = false;

  constructor(place: number) {
    this.#place = place;
  }

  accepts(type: string | undefined): boolean {
    return type === "message";
  }

  tells(item: JsonObject): boolean {
    const told = [...this.#texts.values()].map(({ text }) => text).join("");
    return this.accepts(stringAt(item, "type")) && contentText(item).join("") === told;
  }

  begin(): Part[] {
    this.isBegun = true;
    return [];
  }

  grow(type: string, data: JsonObject): Part[] {
    const index = numberAt(data, "content_index") ?? 0;
    if (type.endsWith(".delta")) return this.#append(index, stringAt(data, "delta") ?? "");
    return this.#end(index, partText(data) ?? "");
  }

  complete(item: JsonObject): Part[] {
    this.isComplete = true;
    return [...contentText(item).flatMap((text, index) => this.#end(index, text)), ...this.close()];
  }

  close(): Part[] {
    return [...this.#texts.keys()].flatMap((index) => this.#end(index, ""));
  }

  #append(index: number, delta: string): Part[] {
    const open = this.#texts.get(index);
    if (delta === "" || open?.ended === true) return [];
    if (open !== undefined) {
      open.text += delta;
      return [{ type: "text-delta", id: open.id, text: delta }];
    }
    const id = `text-${this.#place}-${index}`;
    this.#texts.set(index, { id, text: delta, ended: false });
    return [
      { type: "text-start", id },
      { type: "text-delta", id, text: delta },
    ];
  }

  #end(index: number, whole: string): Part[] {
    const missing = this.#append(index, rest(this.#texts.get(index)?.text ?? "", whole));
    const open = this.#texts.get(index);
    if (open === undefined || open.ended) return missing;
    open.ended = true;
    return [...missing, { type: "text-end", id: open.id }];
  }
}

function contentText(item: JsonObject): string[] {
  return objectsAt(item, "content").map((part) => partText(part) ?? "");
}

/** A reasoning item: one block, its summary parts set apart by a blank line. */
export class ReasoningBlock implements OutputBlock {
  readonly #id: string;
  #text = "";
  /** Summary or full text: whichever came first. Some backends send both. */
  #source: string | null = null;
  #index = 0;
  #started = false;
  #ended = false;
  isBegun = false;
  isComplete = false;

  constructor(place: number) {
    this.#id = `reasoning-${place}`;
  }

  accepts(type: string | undefined): boolean {
    return type === "reasoning";
  }

  tells(item: JsonObject): boolean {
    return this.accepts(stringAt(item, "type")) && reasoningText(item) === this.#text;
  }

  begin(): Part[] {
    this.isBegun = true;
    return [];
  }

  grow(type: string, data: JsonObject): Part[] {
    const delta = stringAt(data, "delta") ?? "";
    this.#source ??= type;
    if (delta === "" || this.#source !== type) return [];
    const index = numberAt(data, "summary_index") ?? numberAt(data, "content_index") ?? 0;
    const separator = index !== this.#index && this.#text !== "" ? partSeparator : "";
    this.#index = index;
    return this.#append(separator + delta);
  }

  complete(item: JsonObject): Part[] {
    if (this.#ended) return [];
    this.isComplete = true;
    const parts = this.#append(rest(this.#text, reasoningText(item)));
    const opaque = reasoningOpaque(item);
    if (opaque === undefined) return [...parts, ...this.close()];
    parts.push(...this.#start());
    this.#ended = true;
    return [...parts, { type: "reasoning-end", id: this.#id, opaque }];
  }

  close(): Part[] {
    if (!this.#started || this.#ended) return [];
    this.#ended = true;
    return [{ type: "reasoning-end", id: this.#id }];
  }

  #start(): Part[] {
    if (this.#started) return [];
    this.#started = true;
    return [{ type: "reasoning-start", id: this.#id }];
  }

  #append(text: string): Part[] {
    if (text === "" || this.#ended) return [];
    this.#text += text;
    return [...this.#start(), { type: "reasoning-delta", id: this.#id, text }];
  }
}

/**
 * A call of a tool that the client runs. Its id is the `call_id`. Free text of a custom tool is given as JSON arguments.
 * A call that the answer was cut in is begun but never called.
 */
export class CallBlock implements OutputBlock {
  readonly #place: number;
  readonly #freeText: boolean;
  #id: string | null = null;
  #name = "";
  /** Arguments or free text, as far as they are known. */
  #input = "";
  /** How much of it has been given. */
  #given = 0;
  #final: string | undefined;
  isBegun = false;
  isComplete = false;
  isCalled = false;

  constructor(place: number, type: "function_call" | "custom_tool_call") {
    this.#place = place;
    this.#freeText = type === "custom_tool_call";
  }

  accepts(type: string | undefined): boolean {
    return type === (this.#freeText ? "custom_tool_call" : "function_call");
  }

  tells(item: JsonObject): boolean {
    return this.accepts(stringAt(item, "type")) && this.#id !== null && stringAt(item, "call_id") === this.#id;
  }

  begin(item: JsonObject): Part[] {
    this.isBegun = true;
    const name = stringAt(item, "name");
    if (this.#id !== null || name === undefined) return [];
    this.#name = canonicalToolName(name, stringAt(item, "namespace"));
    this.#id = stringAt(item, "call_id") ?? stringAt(item, "id") ?? inventToolId("", this.#place, name);
    return [{ type: "tool-input-start", id: this.#id, name: this.#name }, ...this.#flush("")];
  }

  grow(type: string, data: JsonObject): Part[] {
    if (this.isComplete) return [];
    if (type.endsWith(".done")) this.#final = inputOf(data) ?? this.#final;
    this.#input += type.endsWith(".done") ? rest(this.#input, this.#final ?? "") : (stringAt(data, "delta") ?? "");
    return this.#flush("");
  }

  complete(item: JsonObject): Part[] {
    if (this.isComplete) return [];
    this.isComplete = true;
    const parts = this.begin(item);
    if (item["status"] === "incomplete") return parts;
    return [...parts, ...this.#call(inputOf(item) ?? this.#final ?? this.#input)];
  }

  close(incomplete: boolean): Part[] {
    if (this.isComplete || incomplete) return [];
    this.isComplete = true;
    const whole = this.#final ?? this.#input;
    return this.#freeText || parseObject(whole) !== null ? this.#call(whole) : [];
  }

  #call(told: string): Part[] {
    if (this.#id === null) return [];
    this.isCalled = true;
    const whole = told === "" && !this.#freeText ? "{}" : told;
    this.#input += rest(this.#input, whole);
    const input = this.#freeText ? wrapFreeText(whole) : whole;
    return [...this.#flush('"}'), { type: "tool-call", id: this.#id, name: this.#name, input }];
  }

  /** The input that is known and not given. Free text is escaped piece by piece, between the ends of its JSON wrapping. */
  #flush(ending: string): Part[] {
    const news = this.#input.slice(this.#given);
    if (this.#id === null) return [];
    let delta = news;
    if (this.#freeText && (news !== "" || ending !== "")) {
      delta = (this.#given === 0 ? '{"input":"' : "") + JSON.stringify(news).slice(1, -1) + ending;
    }
    this.#given = this.#input.length;
    return delta === "" ? [] : [{ type: "tool-input-delta", id: this.#id, delta }];
  }
}

/** Arguments of a function or input of a custom tool. Some backends give the arguments as an object. */
function inputOf(told: JsonObject): string | undefined {
  const value = told["arguments"] ?? told["input"];
  if (typeof value === "string") return value;
  return isObject(value) ? JSON.stringify(value) : undefined;
}
