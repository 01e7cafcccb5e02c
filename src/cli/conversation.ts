import { resolveRoute } from "../config/resolve-route.ts";
import { isUnderstudyError, UnderstudyError } from "../core/error.ts";
import { formatTarget } from "../core/target.ts";
import type { Chat, ChatMessage } from "../platform/chat-files.ts";
import { newChatId } from "../platform/chat-files.ts";
import type { Message } from "../protocols/canonical.ts";
import { listCandidates } from "../turn/candidates.ts";
import { toTurnRequest } from "../turn/turn-input.ts";
import { startTurn } from "../turn/turn.ts";
import type { Workspace } from "../workspace.ts";
import { interruptSignal } from "./interrupt.ts";
import { colors, printText, say } from "./output.ts";
import { reportError } from "./report-error.ts";
import { showTurn } from "./show-turn.ts";
import { showUsage } from "./show-usage.ts";
import { createTurnNotices } from "./turn-notices.ts";

export interface ConversationOptions {
  readonly workspace: Workspace;
  readonly chat: Chat;
  /** Called after everything that was said. May throw: it is told, and the conversation goes on. */
  readonly keep: (chat: Chat) => void;
}

/** One conversation: what was said, on which route, and with whom it was last. */
export class Conversation {
  #chat: Chat;
  #answering: AbortController | null = null;
  /** Prefers who answered last: a provider's cache knows the conversation there. */
  #lastCredentialId: string | undefined;
  readonly #workspace: Workspace;
  readonly #keep: (chat: Chat) => void;

  constructor({ workspace, chat, keep }: ConversationOptions) {
    this.#workspace = workspace;
    this.#chat = chat;
    this.#keep = keep;
  }

  get chat(): Chat {
    return this.#chat;
  }

  /** Stops the answer that is coming; false when none is. */
  stopAnswer(): boolean {
    if (this.#answering === null) return false;
    this.#answering.abort(new UnderstudyError("cancelled", "stopped"));
    return true;
  }

  /** Takes what the person typed: a question, or a command that begins with a slash. Tells errors, throws none of the turn's. */
  async take(text: string): Promise<"go on" | "quit"> {
    if (text.trim() === "") return "go on";
    try {
      if (text.startsWith("/")) return await this.#run(text.trim());
      await this.#ask(text);
    } catch (error) {
      if (interruptSignal.aborted) throw interruptSignal.reason;
      if (!isUnderstudyError(error)) throw error;
      if (error.code === "cancelled") say(colors.dim("stopped"));
      else reportError(error);
    }
    return "go on";
  }

  async #ask(text: string): Promise<void> {
    const { runtime, config } = this.#workspace;
    const route = resolveRoute(config, this.#chat.route);
    const { blocked } = await listCandidates(runtime, route);
    const tell = createTurnNotices({
      route,
      blocked,
      findProvider: runtime.findProvider,
      verbose: false,
      say: (line) => say(colors.dim(line)),
    });
    const controller = new AbortController();
    this.#answering = controller;
    const asked: ChatMessage = { role: "user", text };
    const turn = startTurn(runtime, toTurnRequest({ messages: [...this.#chat.messages, asked].map(toMessage) }), {
      route,
      signal: AbortSignal.any([controller.signal, interruptSignal]),
      ...(this.#lastCredentialId === undefined ? {} : { preferredCredentialId: this.#lastCredentialId }),
    });
    let shown = "";
    let by = "";
    try {
      for await (const item of turn) {
        if (item.type === "committed") by = `${formatTarget(item.candidate)} · ${item.candidate.credential.label}`;
        if (item.type !== "part") tell(item);
        else if (item.part.type === "text-delta") {
          shown += item.part.text;
          printText(item.part.text);
        }
      }
      const answer = await turn.answer;
      this.#lastCredentialId = answer.servedBy.credential.id;
      if (answer.finishReason === "length") say(colors.dim("the answer ends at the model's own limit of output"));
      this.#add(asked, { role: "assistant", text: answer.text, by });
    } catch (error) {
      // What was read stays part of the conversation; a question that got nothing does not.
      if (shown !== "") this.#add(asked, { role: "assistant", text: shown, by, cut: true });
      throw error;
    } finally {
      if (shown !== "" && !shown.endsWith("\n")) printText("\n");
      this.#answering = null;
    }
  }

  #add(...messages: readonly ChatMessage[]): void {
    const updatedAt = this.#workspace.clock.now();
    this.#change({ ...this.#chat, updatedAt, messages: [...this.#chat.messages, ...messages] });
  }

  #change(chat: Chat): void {
    this.#chat = chat;
    if (chat.messages.length === 0) return;
    try {
      this.#keep(chat);
    } catch (error) {
      say(colors.yellow(error instanceof Error ? error.message : String(error)));
    }
  }

  async #run(line: string): Promise<"go on" | "quit"> {
    const [command = "", ...words] = line.split(/\s+/);
    const argument = words.join(" ");
    switch (command) {
      case "/quit":
      case "/exit":
        return "quit";
      case "/help":
        say("/route [name] · /model [provider/model] · /why · /usage · /new · /quit; Ctrl-C stops an answer");
        return "go on";
      case "/route":
      case "/model":
        this.#choose(argument);
        return "go on";
      case "/why":
        await showTurn(this.#workspace, undefined);
        return "go on";
      case "/usage":
        await showUsage(this.#workspace, undefined, true);
        return "go on";
      case "/new": {
        const now = this.#workspace.clock.now();
        this.#chat = { id: newChatId(now), startedAt: now, updatedAt: now, route: this.#chat.route, messages: [] };
        say(colors.dim("A new conversation begins."));
        return "go on";
      }
      default:
        say(
          `There is no ${command}: /help says what there is. To ask something that begins with /, put a blank before it.`,
        );
        return "go on";
    }
  }

  #choose(name: string): void {
    const { config } = this.#workspace;
    const route = resolveRoute(config, name === "" ? this.#chat.route : name);
    const targets = route.targets.map(formatTarget).join(", ");
    if (name !== "") this.#change({ ...this.#chat, route: route.name });
    say(colors.dim(name === "" ? `route ${route.name}: ${targets}` : `From here on: route ${route.name}: ${targets}`));
  }
}

function toMessage({ role, text }: ChatMessage): Message {
  return { role, content: [{ type: "text", text }] };
}
