import type { Secret } from "../core/secret.ts";
import { asObject, parseAnswerBody, readText } from "./answer-body.ts";
import type { HttpAnswer } from "./exchange.ts";
import { readRetryAfter } from "./retry-after.ts";
import { scrubText } from "./scrub.ts";

/** An OAuth server's answer that is no success. `retryAt` in Unix ms; `description` fit to be read by a person. */
export type ErrorAnswer =
  /** A word about the request or the login. `code` is in lower case, and null when only words came. */
  | {
      readonly kind: "error";
      readonly code: string | null;
      readonly description: string | null;
      readonly status: number;
      readonly retryAt: number | null;
    }
  /** Nothing that counts as a verdict: HTML, an empty or broken body, a bare `detail`. */
  | {
      readonly kind: "unreadable";
      readonly description: string | null;
      readonly status: number;
      readonly retryAt: number | null;
      /** Why the body was not whole, as a network code; null when it was. */
      readonly cut: string | null;
    };

/**
 * Reads an answer that is no success. Deliberately narrower than the reader of provider errors: of an answer to a request that
 * held secrets, only the known error fields may reach a message, never the raw text. `sent` are those secrets, which
 * an answer might echo.
 */
export function readErrorAnswer(answer: HttpAnswer, now: number, sent: readonly Secret[] = []): ErrorAnswer {
  const { status, cut } = answer;
  const fields = readErrorFields(parseAnswerBody(answer.text));
  const retryAt = readRetryAfter(answer.headers, now);
  const description = fields.description === null ? null : scrubText(fields.description, sent);
  if (!fields.isError) return { kind: "unreadable", description, status, retryAt, cut };
  const code = fields.code === null ? null : scrubText(fields.code, sent).slice(0, longestCode);
  return { kind: "error", code, description, status, retryAt };
}

/** Some servers put a sentence where the code belongs. */
const longestCode = 80;

/** The fields of an error body that may be used: RFC 6749 §5.2 and what issuers make of it. Nothing else is kept. */
export interface ErrorFields {
  /** In lower case: servers differ in spelling. Null when the body has none. */
  readonly code: string | null;
  /** The issuer's words, as they came. Scrub them before anybody reads them. */
  readonly description: string | null;
  /** True when the body says in one of the known ways that this is an error: only then is it a word about the login. */
  readonly isError: boolean;
}

/**
 * Reads a parsed body. The code is looked up in this order, and a blank string counts as missing everywhere:
 *
 * 1. `error.code`               {"error":{"code":"refresh_token_reused","type":…,"message":…}}   OpenAI
 * 2. `error` itself             {"error":"invalid_grant","error_description":…}                  RFC 6749, GitHub
 * 3. `code`, `detail.code`      {"code":"token_expired","message":…}, {"detail":{"code":…}}      OpenAI's backend
 * 4. `error.type`               {"error":{"type":"authentication_error","message":…}}            Anthropic
 *
 * `{"detail":"…"}` alone gives words but no verdict.
 */
export function readErrorFields(body: unknown): ErrorFields {
  const top = asObject(body);
  if (top === null) return { code: null, description: null, isError: false };
  const error = asObject(top["error"]);
  const detail = asObject(top["detail"]);
  const inner = error ?? detail ?? {};
  const code =
    readText(error?.["code"]) ??
    readText(top["error"]) ??
    readText(top["code"]) ??
    readText(detail?.["code"]) ??
    readText(error?.["type"]);
  const description =
    readText(inner["message"]) ??
    readText(inner["error_description"]) ??
    readText(top["error_description"]) ??
    readText(top["message"]) ??
    readText(top["detail"]);
  return {
    code: code?.toLowerCase() ?? null,
    description,
    isError: code !== null || (error !== null && readText(error["message"]) !== null),
  };
}
