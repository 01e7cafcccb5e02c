import type { Protocol } from "../protocol.ts";
import { cleanRequest, mayNeedCleaning } from "./clean.ts";
import { createStreamDecoder, decodeAnswer } from "./decode.ts";
import { createStreamEncoder, encodeAnswer } from "./encode.ts";
import { encodeError, readError } from "./error.ts";
import { foldStream } from "./fold.ts";
import { createStreamFollower } from "./follow.ts";
import { askToGoOn } from "./go-on.ts";
import { repairRequest } from "./repair.ts";
import { decodeRequest, encodeRequest } from "./request.ts";
import { createStreamReader, readAnswer } from "./stream.ts";

/** OpenAI Responses, as OpenAI's API, the Codex backend and others speak it. */
export const responses: Protocol = {
  name: "responses",
  endpoint: (baseUrl) => `${baseUrl.replace(/\/+$/, "")}/responses`,
  headers: (secret) => ({
    ...(secret !== "" && { authorization: `Bearer ${secret}` }),
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
