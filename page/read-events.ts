/**
 * Reads server-sent events from an answer until it ends: each event's data to `onData`, and any sign of life to `onBytes`. `EventSource`
 * can't send the header that the key goes in.
 */
export async function readEvents(
  response: Response,
  onData: (data: string) => void,
  onBytes: () => void = () => {},
): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) onData(event.slice(6));
  }
}
