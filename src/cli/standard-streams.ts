import { writeSync } from "node:fs";

/**
 * Standard output and error. Node's streams for them are made when they are asked for, since all that a pipe or a terminal needs has to be
 * loaded for it: 3 to 5 ms of a start. A command that has nothing to do but to tell what it found does without them.
 */
export type Descriptor = 1 | 2;

const made = new Map<Descriptor, NodeJS.WriteStream>();
/** What to do when the reader of our output has gone; null while the process is somebody else's, as in a test. */
let onClosed: (() => void) | null = null;
let isAtOnce = false;
const closed = new Set<Descriptor>();

/** From now on this process's output is ours. `closed` is called when its reader has seen enough (`understudy ask … | head`). */
export function ownStandardStreams(closed: () => void): void {
  onClosed = closed;
}

/**
 * From now on every text is written before the call returns, however long its reader takes. Not for a command that waits for anything else
 * meanwhile.
 */
export function writeAtOnce(): void {
  isAtOnce = true;
}

/** Output (1) or error (2) as a stream, which is never made twice. */
export function standardStream(descriptor: Descriptor): NodeJS.WriteStream {
  const known = made.get(descriptor);
  if (known !== undefined) return known;
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  made.set(descriptor, stream);
  if (onClosed !== null) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      onClosed?.();
    });
  }
  return stream;
}

/** Writes `text` as it is. */
export function writeText(descriptor: Descriptor, text: string): void {
  // A console of Windows takes text from Node's stream alone. What was begun as a stream goes on in its order.
  if (!isAtOnce || onClosed === null || made.has(descriptor) || process.platform === "win32") {
    standardStream(descriptor).write(text);
    return;
  }
  if (closed.has(descriptor)) return;
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    // Somebody else made the pipe so that it never waits.
    if (code === "EAGAIN") standardStream(descriptor).write(rest);
    else if (code !== "EPIPE") throw error;
    else {
      closed.add(descriptor);
      onClosed();
    }
  }
}

/** Resolves when all that was written has left this process. */
export async function allWritten(): Promise<void> {
  await Promise.all(
    [...made.values()].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
  );
}
