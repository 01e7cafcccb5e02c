/**
 * Does to a gateway what nobody should, and prints what that does to its memory.
 *
 *   node scripts/soak-hostile.ts                three rounds
 *   node scripts/soak-hostile.ts --rounds 10    more of them
 *   node scripts/soak-hostile.ts --only body    only the attacks with this in their name
 *   node scripts/soak-hostile.ts --trim         at the end, has the C library give back what it keeps (Linux with glibc and a C compiler)
 *
 * The gateway is a process of its own; its resident memory and its heap (with buffers) are read after a collection, before and after each attack.
 * While each attack goes on, honest turns are asked and must be answered.
 *
 * Ends with 1 if one was not, or if the heap grows: its lowest in the last round is more than 8 MiB above its lowest in the first. Resident
 * memory says less: the C library and V8 keep what was given back to them, as much as the worst moment took. `--trim` tells the two apart:
 * then what is resident after the C library gave back may be 96 MiB above the beginning at most.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createGateway } from "../src/gateway/gateway.ts";
import { openWorkspace } from "../src/workspace.ts";

const clientKey = "uk-a-key-for-the-clients-of-a-soak";
const mib = 1024 * 1024;

interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly where: Places;
}

/** Where resident memory sits, in bytes. */
interface Places {
  /** What V8 has taken for objects, empty pages included. */
  readonly v8: number;
  /** The array buffers that live. */
  readonly buffers: number;
  /** The C library's arenas: what is lent to buffers, and what it keeps of those that were given back. */
  readonly malloc: number;
  /** Mapped without a name and no arena: V8's pages, stacks, single large buffers. */
  readonly mapped: number;
  /** Of files: the program itself. */
  readonly files: number;
}

if (process.send !== undefined) await serve();
else process.exit((await soak()) ? 0 : 1);

/** The gateway's own process: tells its port, then its memory whenever it is asked. */
async function serve(): Promise<void> {
  const workspace = await openWorkspace();
  const limits = { headersMs: 2_000, requestMs: 4_000, idleMs: 2_000, stalledClientMs: 2_000 };
  const gateway = await createGateway({ workspace, clientKey, port: 0, limits });
  process.on("message", () => {
    globalThis.gc?.();
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const where: Places = { v8: heapTotal, buffers: arrayBuffers, ...readMappings() };
    process.send?.({ rss, heap: heapUsed + external, where } satisfies Memory);
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ port: gateway.port });
}

/** The arenas of glibc other than the first begin at multiples of this. */
const arenaBytes = 64 * mib;

/** What the kernel says of this process's memory; zeros where it is not Linux. */
function readMappings(): Pick<Places, "malloc" | "mapped" | "files"> {
  const sums = { malloc: 0, mapped: 0, files: 0 };
  if (!existsSync("/proc/self/smaps")) return sums;
  let place: keyof typeof sums = "files";
  let arenaEnd = 0;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    const mapping = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)\s*(.*)$/.exec(line);
    if (mapping !== null) {
      const [, start = "", , access = "", inode = "", name = ""] = mapping;
      const at = Number.parseInt(start, 16);
      if (inode === "0" && name === "" && access === "rw-p" && at % arenaBytes === 0) arenaEnd = at + arenaBytes;
      place = inode !== "0" ? "files" : name === "[heap]" || at < arenaEnd ? "malloc" : "mapped";
    }
    const resident = /^Rss:\s+(\d+) kB$/.exec(line)?.[1];
    if (resident !== undefined) sums[place] += Number(resident) * 1024;
  }
  return sums;
}

async function soak(): Promise<boolean> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "3" }, only: { type: "string" }, trim: { type: "boolean" } },
  });
  const provider = await openProvider();
  const folder = mkdtempSync(join(tmpdir(), "understudy-soak-"));
  writeFileSync(
    join(folder, "config.yaml"),
    [
      `providers: { local: { protocol: chat-completions, baseUrl: "${provider.url}", apiKeyEnv: SOAK_KEY } }`,
      // The provider shares its processor with the attacks on the gateway: an honest answer may take its time.
      "limits: { firstEventMs: 60000 }",
    ].join("\n"),
  );
  const child = fork(fileURLToPath(import.meta.url), [], {
    env: {
      ...process.env,
      UNDERSTUDY_HOME: folder,
      SOAK_KEY: "sk-soak",
      ...(values.trim === true ? { LD_PRELOAD: compileTrim(folder) } : {}),
    },
    execArgv: ["--expose-gc"],
  });
  try {
    const { port } = (await said(child)) as { port: number };
    const ask: Ask = (model) => answerOf(port, model);
    for (let turn = 0; turn < 300; turn++) await ask("local/honest");
    const start = await memoryOf(child);
    print("after 300 turns", start, start);
    let first = start;
    let last = start;
    let unanswered = 0;
    /** The lowest heap of the first round, and of the one that goes on. */
    let firstLow = Number.POSITIVE_INFINITY;
    let low = firstLow;
    for (let round = 1; round <= Number(values.rounds); round++) {
      low = Number.POSITIVE_INFINITY;
      for (const [name, attack] of attacks(port, round, ask)) {
        if (!name.includes(values.only ?? "")) continue;
        const before = await memoryOf(child);
        const stop = await attack();
        const during = await memoryOf(child);
        for (let turn = 0; turn < 20; turn++) {
          const said = await ask("local/honest");
          if (said.includes("[DONE]")) continue;
          unanswered += 1;
          console.log(`not answered during ${name}: ${said.slice(-300)}`);
        }
        await stop();
        await quiet();
        const after = await memoryOf(child);
        low = Math.min(low, before.heap, after.heap);
        print(`${round}. ${name}`, before, during, after);
      }
      last = await memoryOf(child);
      printPlaces(`end of round ${round}`, last);
      if (round === 1) [first, firstLow] = [last, low];
    }
    let kept = 0;
    if (values.trim === true) {
      child.kill("SIGUSR2");
      const trimmed = await memoryOf(child);
      printPlaces("after malloc_trim", trimmed);
      kept = (trimmed.rss - start.rss) / mib;
    }
    const grown = (last.rss - first.rss) / mib;
    const heapGrown = (low - firstLow) / mib;
    console.log(`\nhonest turns not answered: ${unanswered}`);
    console.log(`lowest heap of the last round over that of the first: ${heapGrown.toFixed(1)} MiB more`);
    console.log(`resident memory from the end of the first round to the end of the last: ${grown.toFixed(1)} MiB more`);
    return unanswered === 0 && heapGrown < 8 && kept < 96;
  } finally {
    child.disconnect();
    provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The library that gives back what malloc keeps when it is told; see there. */
function compileTrim(folder: string): string {
  const library = join(folder, "malloc-trim.so");
  execFileSync("cc", ["-O1", "-shared", "-fPIC", "-o", library, join(import.meta.dirname, "malloc-trim.c")]);
  return library;
}

type Attack = () => Promise<() => Promise<void>>;
/** Gives the whole answer as it came. */
type Ask = (model: string) => Promise<string>;

function attacks(port: number, round: number, ask: Ask): readonly (readonly [string, Attack])[] {
  // Each call another model: one that failed rests for a while.
  const head = `POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\n`;
  return [
    ["1,000 idle connections", crowd(port, 1_000, () => {})],
    [
      "500 slow senders of headers",
      crowd(port, 500, (line) => drip(line, "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: ")),
    ],
    [
      "500 slow senders of a body",
      crowd(port, 500, (line) => drip(line, `${head}content-length: 100000\r\n\r\n{"a":"`)),
    ],
    ["200 heads that never end", crowd(port, 200, (line) => void flood(line, `${head}x-a: `))],
    [
      "100 bodies of 32 MiB and more",
      crowd(port, 100, (line) => void flood(line, `${head}content-length: 99999999\r\n\r\n`)),
    ],
    ["200 clients that don't read", crowd(port, 200, deaf)],
    ["10 answers with an event of 17 MiB", many(10, (call) => ask(`local/huge-${round}-${call}`))],
    ["10 answers with a line that never ends", many(10, (call) => ask(`local/endless-${round}-${call}`))],
  ];
}

/** Opens `count` connections and does `act` with each; closes what is left of them at the end. */
function crowd(port: number, count: number, act: (line: Socket) => void): Attack {
  return async () => {
    const lines = await Promise.all(Array.from({ length: count }, () => dial(port)));
    for (const line of lines) act(line);
    await soon();
    return async () => {
      for (const line of lines) line.destroy();
    };
  };
}

function many(count: number, act: (call: number) => Promise<unknown>): Attack {
  return async () => {
    const all = Promise.all(Array.from({ length: count }, (_, call) => act(call)));
    await soon();
    return async () => void (await all);
  };
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const line = connect(port, "127.0.0.1");
    line.once("error", reject);
    line.once("connect", () => {
      line.removeListener("error", reject).on("error", () => {});
      line.resume();
      resolve(line);
    });
  });
}

/** A byte at a time. */
function drip(line: Socket, beginning: string): void {
  line.write(beginning);
  const timer = setInterval(() => line.write("x"), 200);
  line.once("close", () => clearInterval(timer));
}

/** As much as it takes. */
async function flood(line: Socket, beginning: string): Promise<void> {
  line.write(beginning);
  const gone = once(line, "close");
  const more = Buffer.alloc(64 * 1024, "x");
  for (let sent = 0; sent < 64 * mib && !line.destroyed; sent += more.length) {
    if (!line.write(more)) await Promise.race([gone, once(line, "drain")]);
  }
}

/** Asks for a long answer and takes none of it. */
function deaf(line: Socket): void {
  line.pause();
  const body = JSON.stringify({ model: "local/long", stream: true, messages: [{ role: "user", content: "go" }] });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\n`;
  line.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

function once(line: Socket, event: string): Promise<void> {
  return new Promise((resolve) => line.once(event, () => resolve()));
}

/** Long enough to be in the middle of it. */
function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_000));
}

/** Long enough for every limit of the gateway to have passed. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3_000));
}

async function answerOf(port: number, model: string): Promise<string> {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hello" }] });
  const headers = { authorization: `Bearer ${clientKey}`, "content-type": "application/json" };
  const reply = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", headers, body });
  const text = await reply.text();
  return reply.status === 200 ? text : `${reply.status} ${text}`;
}

/** A provider that answers as the model's name says. */
async function openProvider(): Promise<{ url: string; close: () => void }> {
  const delta = (content: string, reason: string | null): string =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const model = /"model":"(\w+)[-"]/.exec(text)?.[1];
      response.on("error", () => {});
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (model === "huge") response.write(`data: "${"y".repeat(17 * mib)}"\n\n`);
      if (model === "endless") return void endless(response);
      if (model === "long") response.write(delta("z".repeat(1_000), null).repeat(2_000));
      response.end(`${delta("hello", null)}${delta("", "stop")}data: [DONE]\n\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function endless(response: ServerResponse): Promise<void> {
  const more = "y".repeat(256 * 1024);
  response.write('data: "');
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  while (!response.destroyed) {
    if (response.write(more)) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([gone, new Promise<void>((resolve) => response.once("drain", resolve))]);
  }
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once("message", resolve));
}

async function memoryOf(child: ChildProcess): Promise<Memory> {
  const answer = said(child);
  child.send("memory");
  return (await answer) as Memory;
}

function printPlaces(when: string, { rss, where }: Memory): void {
  const places = Object.entries(where).map(([name, bytes]) => `${name} ${((bytes as number) / mib).toFixed(0)}`);
  console.log(`${when}: ${(rss / mib).toFixed(0)} MiB resident: ${places.join(", ")}`);
}

function print(name: string, before: Memory, during: Memory, after?: Memory): void {
  const show = ({ rss, heap }: Memory): string =>
    `${(rss / mib).toFixed(0).padStart(4)} (${(heap / mib).toFixed(0).padStart(3)})`;
  const row = [name.padEnd(44), show(before), show(during), ...(after === undefined ? [] : [show(after)])];
  if (after === undefined) console.log(`${"MiB resident (heap)".padEnd(44)}  before      during      after`);
  console.log(row.join("  "));
}
