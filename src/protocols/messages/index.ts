import type { Protocol } from "../protocol.ts";
import { createStreamDecoder, decodeAnswer } from "./decode.ts";
import { createStreamEncoder, encodeAnswer } from "./encode.ts";
import { encodeError, readError } from "./error.ts";
import { foldStream } from "./fold.ts";
import { createStreamFollower } from "./follow.ts";
import { askToGoOn } from "./go-on.ts";
import { cleanRequest, mayNeedCleaning, repairRequest } from "./repair.ts";
import { decodeRequest, encodeRequest } from "./request.ts";
import { createStreamReader, readAnswer } from "./stream.ts";

/** Anthropic Messages. Source: https://docs.anthropic.com/en/api/messages */
export const messages: Protocol = {
  name: "messages",
  // Base URLs come with and without /v1: Anthropic's own without, many copies with.
  endpoint: (baseUrl) => `${baseUrl.replace(/\/+$/, "").replace(/\/v1(?:\/messages)?$/, "")}/v1/messages`,
  headers: (secret) => ({
    "x-api-key": secret,
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
  }),
  encodeRequest,
  decodeRequest,
  repairRequest,
  cleanRequest,
  mayNeedCleaning,
  askToGoOn,
  createStreamReader,
  readAnswer,
  readError,
  createStreamDecoder,
  decodeAnswer,
  createStreamEncoder,
  createStreamFollower,
  encodeAnswer,
  foldStream,
  encodeError,
};
