import type { SseEvent } from "../sse.ts";
import { foldStream } from "./fold.ts";
import { objectAt, objectsAt, parseObject } from "../read-json.ts";
import { eventType } from "./stream.ts";

/**
 * The stream of the backend behind ChatGPT logins, as OpenAI's API would have written it. Two things differ, and the official
 * SDK's stream helper stumbles over both:
 *
 * - It tells its limits in events of its own (`codex.rate_limits`); the helper throws at an event it does not know. They are left out.
 * - Its terminal event has an empty `output`; the helper takes that for the answer. It is filled with the finished items.
 *
 * Gives the event to pass on, or null for none.
 */
export function createPublicStream(): (event: SseEvent) => SseEvent | null {
  const finished: SseEvent[] = [];
  return (event) => {
    const { event: name, data } = event;
    if (name?.startsWith("codex.") ?? data.startsWith('{"type":"codex.')) return null;
    // Deltas are by far the most, and nothing has to be known of them.
    if (name?.endsWith(".delta") === true) return event;
    const body = parseObject(data);
    const type = body && eventType(event, body);
    if (type === "response.output_item.done") finished.push(event);
    if (body === null || (type !== "response.completed" && type !== "response.incomplete")) return event;
    const response = objectAt(body, "response");
    if (response === undefined || finished.length === 0 || objectsAt(response, "output").length > 0) return event;
    return { event: name, data: JSON.stringify({ ...body, response: foldStream([...finished, event]) }) };
  };
}
