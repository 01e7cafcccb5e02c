import { type Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http";
import type { RawAnswer } from "./read-answer.ts";

export interface AskOptions {
  readonly url: string;
  readonly key: string;
  readonly body: object;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

export type Reply = RawAnswer & { readonly headers: IncomingHttpHeaders };

/** One model call over HTTP, read to its end however it ends. Rejects when no head came. */
export function ask({ url, key, body, agent, signal }: AskOptions): Promise<Reply> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      {
        method: "POST",
        ...(agent === undefined ? { agent: false } : { agent }),
        ...(signal === undefined ? {} : { signal }),
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
          // Both, as clients of both families send it.
          authorization: `Bearer ${key}`,
          "anthropic-version": "2023-06-01",
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        const done = (broken: boolean): void =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers["content-type"] ?? "",
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
            broken,
          });
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => done(!response.complete));
        response.on("error", () => done(true));
      },
    );
    request.on("error", reject);
    request.end(text);
  });
}
