import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../src/core/failure.ts";
import type { Evidence, Phase } from "../../src/failures/evidence.ts";
import { readErrorBody, readErrorValue } from "../../src/failures/read-error-body.ts";

/** A failure as received on the wire, and the verdict on it. One file each under `test/fixtures/failures/`. */
export interface Fixture extends Pick<Evidence, "protocol" | "provider" | "finishReason" | "networkCode" | "message"> {
  readonly file: string;
  readonly about: string;
  readonly phase: Phase;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** An HTTP body: text, or JSON that was one. */
  readonly body?: unknown;
  readonly event?: string;
  /** The data of a stream event. */
  readonly data?: unknown;
  readonly expect: Pick<Failure, "row" | "reason" | "scope" | "next"> & {
    /** ISO 8601. Missing: no time may be read. */
    readonly retryAt?: string;
    readonly reloginRequired?: boolean;
  };
}

/** The time at which all fixtures were received, Unix ms. */
export const receivedAt: number = Date.parse("2026-10-01T12:00:00Z");

const folder = join(import.meta.dirname, "../fixtures/failures");

export const fixtures: readonly Fixture[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .sort()
  .map((file) => ({ ...(JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<Fixture, "file">), file }));

/** What a protocol makes of the wire. */
export function evidenceOf(fixture: Fixture): Evidence {
  const { file: _file, about: _about, expect: _expect, body, data, status, headers = {}, ...rest } = fixture;
  if (body !== undefined) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return { ...rest, ...readErrorBody(status ?? 200, headers, text) };
  }
  if (data !== undefined) return { ...rest, headers, ...readErrorValue(data, status) };
  return { ...rest, headers, ...(status !== undefined && { status }) };
}
