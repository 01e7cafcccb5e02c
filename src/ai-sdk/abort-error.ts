/** The names by which the AI SDK knows an abort. */
const abortNames: ReadonlySet<string> = new Set(["AbortError", "TimeoutError"]);

/** What an aborted call rejects with: the signal's reason, or an `AbortError` around a reason of another kind. */
export function abortErrorOf({ reason }: AbortSignal): Error {
  if (reason instanceof Error && abortNames.has(reason.name)) return reason;
  return new DOMException("the call was aborted", { name: "AbortError", cause: reason });
}
