import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UnderstudyError } from "../core/error.ts";

/** One thing that was said. */
export interface ChatMessage {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Who answered: `codex/gpt-5.5 · work`. */
  readonly by?: string;
  /** True when the answer broke off. */
  readonly cut?: boolean;
}

/** A conversation as it is kept. */
export interface Chat {
  readonly id: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly updatedAt: number;
  /** A route, or provider/model; null for the default route. */
  readonly route: string | null;
  readonly messages: readonly ChatMessage[];
}

/** Conversations as files, one each, 0600 in a folder 0700: what is in them is the person's own. */
export interface ChatFiles {
  /** The newest first. Files that can't be read are passed over. */
  list(): Chat[];
  /** By its id or how that begins. Throws `usage` when there is none, or several. */
  find(id: string): Chat;
  /** Replaces the file as a whole. Throws `store_unavailable`. */
  write(chat: Chat): void;
}

/** A new id: sorts by time, and is easy to type the beginning of. */
export function newChatId(now: number): string {
  const day = new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");
  return `${day}-${randomBytes(2).toString("hex")}`;
}

export function openChatFiles(folder: string): ChatFiles {
  const list = (): Chat[] =>
    names(folder)
      .flatMap((name) => readChat(join(folder, name)) ?? [])
      .toSorted((a, b) => b.updatedAt - a.updatedAt);
  return {
    list,
    find(id) {
      const found = list().filter((chat) => chat.id.startsWith(id));
      const [chat, another] = found;
      if (chat === undefined)
        throw new UnderstudyError("usage", "there is no conversation with this id", {
          command: "understudy chat --list",
        });
      if (another !== undefined && chat.id !== id)
        throw new UnderstudyError("usage", "several conversations begin like this");
      return chat;
    },
    write(chat) {
      const path = join(folder, `${chat.id}.json`);
      const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const descriptor = openSync(temporary, "wx", 0o600);
        try {
          // Not writeSync: on a full disk it writes what fits, and says so only by a number.
          writeFileSync(descriptor, `${JSON.stringify({ version: 1, ...chat }, null, 2)}\n`);
          fsyncSync(descriptor);
        } finally {
          closeSync(descriptor);
        }
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        const code = error instanceof Error && "code" in error ? String(error.code) : "error";
        throw new UnderstudyError(
          "store_unavailable",
          `${path}: the conversation can't be kept (${code})`,
          {},
          { cause: error },
        );
      }
    },
  };
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function readChat(path: string): Chat | null {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Partial<Chat> & { version?: unknown };
    const { id, startedAt, updatedAt, route = null, messages } = value;
    if (value.version !== 1 || typeof id !== "string" || !Array.isArray(messages)) return null;
    if (typeof startedAt !== "number" || typeof updatedAt !== "number" || !messages.every(isMessage)) return null;
    return { id, startedAt, updatedAt, route, messages };
  } catch {
    return null;
  }
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { role, text } = value as Partial<ChatMessage>;
  return (role === "user" || role === "assistant") && typeof text === "string";
}
