import { join } from "node:path";
import type { Command } from "commander";
import { resolveRoute } from "../../config/resolve-route.ts";
import { type Chat, type ChatFiles, newChatId, openChatFiles } from "../../platform/chat-files.ts";
import { describeTime } from "../../turn/advice.ts";
import { Conversation } from "../conversation.ts";
import { interruptSignal } from "../interrupt.ts";
import { openLineSource } from "../line-source.ts";
import { findHome } from "../load-config.ts";
import { withWorkspace, withWorkspaceForTurns } from "../open-workspace.ts";
import { alignColumns, colors, isoTime, printJson, printLines, say } from "../output.ts";
import { canAsk } from "../prompt.ts";

interface ChatOptions {
  readonly route?: string;
  readonly resume?: string | true;
  readonly list?: boolean;
  readonly save: boolean;
  readonly json?: boolean;
}

const examples = `
Answers go to standard output as they come; a switch is one quiet line on standard error. Ctrl-C stops an answer, Ctrl-D ends the
conversation. A line that ends with \\ goes on in the next. Without a terminal each line of standard input is one question.

Conversations are kept beside the store, for you only; --no-save keeps none.

Inside:
  /route [name]      show or change the route      /why      how the last turn went
  /model [target]    ask this one target           /usage    how much of the plans is used
  /new               begin anew                    /quit     end

Examples:
  $ understudy chat
  $ understudy chat --resume                the last conversation
  $ understudy chat --list
  $ understudy chat --route codex/gpt-5.5
`;

export function chatCommand(command: Command): void {
  command
    .option("-r, --route <route>", "a route, provider/model, or a model; default: the default route")
    .option("--resume [id]", "go on with a conversation; default: the last one")
    .option("--list", "list the conversations that are kept")
    .option("--no-save", "keep nothing of it")
    .option("--json", "with --list: as JSON")
    .addHelpText("after", examples)
    .action(async (options: ChatOptions) => {
      const files = openChatFiles(join(findHome().dataDir, "chats"));
      if (options.list === true) return listChats(files, options.json === true);
      const past = options.resume === undefined ? null : findPast(files, options.resume);
      // Whoever wants it kept needs a place for it.
      const open = options.save ? withWorkspace : withWorkspaceForTurns;
      await open(async (workspace) => {
        const now = workspace.clock.now();
        const route = options.route ?? past?.route ?? null;
        resolveRoute(workspace.config, route);
        const chat: Chat = { ...(past ?? { id: newChatId(now), startedAt: now, updatedAt: now, messages: [] }), route };
        const conversation = new Conversation({
          workspace,
          chat,
          keep: options.save ? (kept) => files.write(kept) : () => {},
        });
        greet(chat, resolveRoute(workspace.config, route).name, past !== null);
        const lines = openLineSource({ prompt: colors.bold("> "), onInterrupt: () => conversation.stopAnswer() });
        try {
          for (let text = await nextText(lines); text !== null; text = await nextText(lines)) {
            if ((await conversation.take(text)) === "quit") break;
          }
        } finally {
          lines.close();
        }
        if (options.save && conversation.chat.messages.length > 0 && canAsk()) {
          say(colors.dim(`To go on: understudy chat --resume ${conversation.chat.id}`));
        }
        interruptSignal.throwIfAborted();
      });
    });
}

/** A line, with those that a backslash joins to it; null at the end. */
async function nextText(lines: { next(): Promise<string | null> }): Promise<string | null> {
  let text = await lines.next();
  while (text?.endsWith("\\")) {
    const more = await lines.next();
    text = `${text.slice(0, -1)}\n${more ?? ""}`;
    if (more === null) break;
  }
  return text;
}

function findPast(files: ChatFiles, id: string | true): Chat | null {
  if (id !== true) return files.find(id);
  const [last] = files.list();
  if (last === undefined) say("There is no conversation yet: this is the first.");
  return last ?? null;
}

function greet(chat: Chat, route: string, resumed: boolean): void {
  if (!canAsk()) return;
  const turns = chat.messages.filter(({ role }) => role === "user").length;
  const what = resumed ? `goes on after ${turns} ${turns === 1 ? "question" : "questions"}` : "begins";
  say(colors.dim(`The conversation ${what}, on route ${route}. /help says what there is.`));
  const last = chat.messages.at(-1);
  if (resumed && last !== undefined)
    say(colors.dim(`${last.role === "user" ? "you" : (last.by ?? "answer")}: ${shorten(last.text)}`));
}

function listChats(files: ChatFiles, json: boolean): void {
  const chats = files.list();
  if (json) {
    const view = ({ messages, startedAt, updatedAt, ...chat }: Chat): Record<string, unknown> => ({
      ...chat,
      startedAt: isoTime(startedAt),
      updatedAt: isoTime(updatedAt),
      questions: messages.filter(({ role }) => role === "user").length,
      first: messages[0]?.text ?? null,
    });
    printJson({ chats: chats.map(view) });
    return;
  }
  if (chats.length === 0) say("There is no conversation yet.");
  const now = Date.now();
  printLines(
    ...alignColumns(
      chats.map(({ id, updatedAt, messages }) => [id, describeTime(updatedAt, now), shorten(messages[0]?.text ?? "")]),
    ),
  );
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 72 ? `${line.slice(0, 71).toWellFormed()}…` : line;
}
