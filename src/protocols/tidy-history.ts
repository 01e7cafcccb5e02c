import type { Message, ToolCallContent, ToolResultContent } from "./canonical.ts";
import { fitToolId, type ToolIdRule } from "./tool-id.ts";

/** What the model reads in place of a result that never came. */
export const interruptedResult = "no result: the call was interrupted";

/** A call and the place its result goes to. */
interface Slot {
  readonly call: ToolCallContent;
  result: ToolResultContent | null;
}

type AssistantMessage = Extract<Message, { role: "assistant" }>;
interface AssistantEntry {
  readonly kind: "assistant";
  readonly content: AssistantMessage["content"][number][];
  readonly slots: Slot[];
}
type Entry = { readonly kind: "message"; readonly message: Message } | AssistantEntry;

/**
 * Brings a history into the order that strict providers insist on. A history that crosses from one provider to another was
 * often written under laxer rules. `dropped` says in words what was lost on the way.
 *
 * 1. Blank text blocks go, and messages with nothing left in them.
 * 2. Neighbouring assistant messages become one.
 * 3. The results of a message's calls follow it at once, in the order of the calls; whatever stood between comes after.
 * 4. A call without a result gets one that says so; a result without a call, or a second one, is dropped.
 * 5. Every call has an id of its own that `rule` accepts, and its result has the same.
 */
export function tidyHistory(
  messages: readonly Message[],
  rule: ToolIdRule,
): { messages: Message[]; dropped: Set<string> } {
  const dropped = new Set<string>();
  const entries: Entry[] = [];
  const waiting = new Map<string, Slot[]>();
  const ids = new Set<string>();

  for (const message of messages) {
    switch (message.role) {
      case "assistant":
        addAssistant(message);
        break;
      case "tool":
        for (const result of message.content) addResult(result);
        break;
      default: {
        const content = message.content.filter(hasSubstance);
        // The filter keeps the kinds of content that the role allows.
        if (content.length > 0) entries.push({ kind: "message", message: { ...message, content } as Message });
      }
    }
  }
  return { messages: entries.flatMap(flatten), dropped };

  function addAssistant(message: AssistantMessage): void {
    const content = message.content.filter(hasSubstance);
    if (content.length === 0) return;
    const last = entries.at(-1);
    const joins = last?.kind === "assistant" && last.slots.every((slot) => slot.result === null);
    const entry: AssistantEntry = joins ? last : { kind: "assistant", content: [], slots: [] };
    if (!joins) entries.push(entry);
    for (const block of content) entry.content.push(block.type === "tool-call" ? addCall(block, entry) : block);
  }

  function addCall(block: ToolCallContent, entry: AssistantEntry): ToolCallContent {
    const call = { ...block, id: uniqueId(block.id) };
    const slot: Slot = { call, result: null };
    // Calls of one message with one id are answered in their order; those of an earlier message no more.
    const before = waiting.get(block.id)?.filter((other) => entry.slots.includes(other)) ?? [];
    waiting.set(block.id, [...before, slot]);
    entry.slots.push(slot);
    return call;
  }

  function addResult(result: ToolResultContent): void {
    const slot = waiting.get(result.id)?.find((candidate) => candidate.result === null);
    if (slot === undefined) {
      dropped.add("a tool result without its call");
      return;
    }
    slot.result = { ...result, id: slot.call.id, content: result.content.filter(hasSubstance) };
  }

  function uniqueId(id: string): string {
    let wanted = fitToolId(id, rule);
    for (let n = 2; ids.has(wanted); n++) wanted = fitToolId(`${id}_${n}`, rule);
    ids.add(wanted);
    return wanted;
  }

  function flatten(entry: Entry): Message[] {
    if (entry.kind === "message") return [entry.message];
    const assistant: Message = { role: "assistant", content: entry.content };
    if (entry.slots.length === 0) return [assistant];
    return [assistant, { role: "tool", content: entry.slots.map((slot) => slot.result ?? interrupted(slot.call)) }];
  }
}

function interrupted(call: ToolCallContent): ToolResultContent {
  return {
    type: "tool-result",
    id: call.id,
    isError: true,
    content: [{ type: "text", text: interruptedResult }],
  };
}

/** False for a text block of nothing but blanks: providers refuse it. Never asked of reasoning, whose text may be empty. */
function hasSubstance(content: { readonly type: string; readonly text?: string }): boolean {
  return content.type !== "text" || content.text?.trim() !== "";
}
