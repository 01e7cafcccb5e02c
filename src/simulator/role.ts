import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { type HoldEnd, Holds } from "./holds.ts";
import type { Ids } from "./ids.ts";
import { LoopbackServer } from "./loopback-server.ts";
import { type Chunk, play } from "./play.ts";
import type { OpenRecord, RecordedRequest } from "./recorded-request.ts";
import { jsonReply, type Reply } from "./reply.ts";
import type { SecretNames } from "./secret-names.ts";

/** What all roles of one simulator share. */
export interface Stage {
  /** Unix ms. */
  readonly now: () => number;
  readonly ids: Ids;
  readonly secrets: SecretNames;
  /** The number of the next request over all roles, from 1. */
  readonly nextOrder: () => number;
  /** Where the redirect faults point: an origin that no credential belongs to. */
  readonly elsewhere: () => string;
}

/** A request with its whole body, on its way to be answered. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly record: OpenRecord;
  /** Aborts when the client's connection closes. */
  readonly gone: AbortSignal;
}

/** A reply, with the chunking it wants if it is not the role's. */
export type CallResult = Reply & { readonly chunk?: Chunk };

/**
 * One scripted server. It keeps a log of all requests, and lets a test wait for what it wants to see without a clock.
 */
export abstract class Role {
  /** How bodies are split. */
  chunk: Chunk = "event";
  /** Errors of the simulator itself; `simulator.close()` throws the first. */
  readonly bugs: unknown[] = [];

  protected readonly stage: Stage;
  readonly #server: LoopbackServer;
  readonly #holds: Holds;
  readonly #requests: OpenRecord[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(stage: Stage) {
    this.stage = stage;
    this.#holds = new Holds(() => this.#changed());
    this.#server = new LoopbackServer((request, response) => void this.#handle(request, response));
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return this.#server.origin;
  }

  /** The port to open instead of any that is free. Before the first `start`. */
  set port(port: number) {
    this.#server.port = port;
  }

  /** Everything received, in order. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  /** Requests to a path or method that this role does not have. A good run has none. */
  get unplanned(): RecordedRequest[] {
    return this.#requests.filter((request) => !request.planned);
  }

  /** Requests that the role refused by its own rules, not because of a script. */
  get refused(): RecordedRequest[] {
    return this.#requests.filter((request) => request.refused !== null);
  }

  /** Requests whose client left before the answer was whole. */
  get aborted(): number {
    return this.#requests.filter((request) => request.ending === "aborted").length;
  }

  /** Answers that are held back now. */
  get held(): number {
    return this.#holds.size;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#server.connections;
  }

  /** False after `stop()`. */
  get running(): boolean {
    return this.#server.running;
  }

  /** Lets the `count` longest held answers go on; all of them by default. Returns how many there were. */
  release(count?: number): number {
    return this.#holds.release(count);
  }

  /** Resolves as soon as `condition` holds. It is asked again whenever a request arrives, is held, or ends. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Opens the port; after `stop` the same one. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** Kills the server: every connection is destroyed, also in the middle of an answer, and the port refuses. */
  stop(): Promise<void> {
    for (const request of this.#requests) request.ending ??= "cut";
    return this.#server.stop();
  }

  /** What to answer. The record can still be filled in. */
  protected abstract answer(call: Call): CallResult | Promise<CallResult>;

  /** Holds a call back before anything is done about it. */
  protected holdBack(call: Call): Promise<HoldEnd> {
    return this.#holds.wait(call.gone);
  }

  /** The answer to a path or method that does not exist, noted as unplanned. */
  protected unplannedReply(call: Call): Reply {
    call.record.planned = false;
    return jsonReply(404, {
      error: {
        message: `Invalid URL (${call.method} ${call.path})`,
        type: "invalid_request_error",
        param: null,
        code: null,
      },
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const record = this.#open(request);
      const text = await readBody(request);
      if (text === null) {
        record.ending ??= "aborted";
        return;
      }
      record.body = parseBody(this.stage.secrets.redact(text), request.headers["content-type"]);
      this.#changed();
      const url = new URL(request.url ?? "/", this.origin);
      const result = await this.answer({
        method: record.method,
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        text,
        record,
        gone: gone.signal,
      });
      if (result.steps.some((step) => step.do === "head")) record.status = result.status;
      this.#changed();
      const ending = await play(result, response, {
        chunk: result.chunk ?? this.chunk,
        holds: this.#holds,
        gone: gone.signal,
      });
      record.ending ??= ending;
    } catch (error) {
      this.bugs.push(error);
      response.destroy();
    } finally {
      this.#changed();
    }
  }

  #open(request: IncomingMessage): OpenRecord {
    const { secrets, now, nextOrder } = this.stage;
    const url = new URL(request.url ?? "/", this.origin);
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => {
      return [name, secrets.redactHeader(name, Array.isArray(value) ? value.join(", ") : (value ?? ""))];
    });
    const query = [...url.searchParams].map(([name, value]): [string, string] => [name, secrets.redact(value)]);
    const record: OpenRecord = {
      order: nextOrder(),
      at: now(),
      method: request.method ?? "",
      path: url.pathname,
      query: Object.fromEntries(query),
      headers: Object.fromEntries(headers),
      body: null,
      credential: null,
      behaviour: null,
      planned: true,
      refused: null,
      status: null,
      ending: null,
    };
    this.#requests.push(record);
    return record;
  }

  #changed(): void {
    for (const watch of this.#watchers) watch();
  }
}

/** Null when the client left while it was still sending. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString();
}

/** The fields of a form, a JSON value, or the text; null for nothing. */
export function parseBody(text: string, contentType: string | undefined): unknown {
  if (text === "") return null;
  if (contentType?.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
