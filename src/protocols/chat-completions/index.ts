import type { Protocol } from "../protocol.ts";
import { cleanRequest, mayNeedCleaning } from "./clean.ts";
import { createStreamDecoder, decodeAnswer } from "./decode.ts";
import { createStreamEncoder, encodeAnswer } from "./encode.ts";
import { encodeError, readError } from "./error.ts";
import { fitHistory } from "./fit-history.ts";
import { foldStream } from "./fold.ts";
import { createStreamFollower } from "./follow.ts";
import { askToGoOn } from "./go-on.ts";
import { repairRequest } from "./repair.ts";
import { decodeRequest, encodeRequest } from "./request.ts";
import { createStreamReader, readAnswer } from "./stream.ts";

/** OpenAI Chat Completions and its many copies. Source: https://platform.openai.com/docs/api-reference/chat */
export const chatCompletions: Protocol = {
  name: "chat-completions",
  endpoint: (baseUrl) => `${baseUrl.replace(/\/+$/, "").replace(/\/chat\/completions$/, "")}/chat/completions`,
  headers: (secret) => ({ authorization: `Bearer ${secret}`, "content-type": "application/json" }),
  encodeRequest,
  decodeRequest,
  repairRequest,
  cleanRequest,
  mayNeedCleaning,
  fitHistory,
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
