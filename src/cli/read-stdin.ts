import { addAbortSignal } from "node:stream";
import { UnderstudyError } from "../core/error.ts";
import { interruptSignal } from "./interrupt.ts";
import { isTerminal } from "../platform/is-terminal.ts";

/** More than this is no prompt, no error body and no key, in bytes. */
const longestInput = 16 * 1024 * 1024;

/** True when a person sits at the other end of standard input. */
export function isStdinTerminal(): boolean {
  return isTerminal(0);
}

/** All of standard input as text. Throws `usage` when it is too long, `cancelled` after Ctrl-C. */
export async function readStdin(): Promise<string> {
  return read(() => false);
}

/** The first line of standard input, without waiting for the rest. Throws as `readStdin` does. */
export async function readStdinLine(): Promise<string> {
  const text = await read((chunk) => chunk.includes(0x0a));
  return text.split(/\r?\n/, 1)[0] ?? "";
}

async function read(isEnough: (chunk: Buffer) => boolean): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of addAbortSignal(interruptSignal, process.stdin) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > longestInput) {
        throw new UnderstudyError("usage", `standard input holds more than ${longestInput} bytes`);
      }
      if (isEnough(chunk)) break;
    }
  } catch (error) {
    throw interruptSignal.aborted ? interruptSignal.reason : error;
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
}
