/** A JSON object whose fields nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Errors come wrapped: an envelope around an error object, a gateway's error around a provider's, JSON as text inside a
 * message. This walks from the outside in and gives every object on the way; the last one is nearest to the cause.
 *
 * Followed are `error`, `response.error`, `upstream_error`, `detail`, `errors[0]`, `base_resp` (MiniMax), an object as `message`, JSON
 * text in `message` or as a whole string, `metadata` and `metadata.raw` (OpenRouter). An array counts as its first element (Google). What a model or
 * a person wrote elsewhere in a body is never looked at. Ends for any value, also for one that contains itself.
 */
export function errorLayers(value: unknown): readonly Fields[] {
  const layers: Fields[] = [];
  let next: unknown = value;
  while (layers.length < mostLayers) {
    if (Array.isArray(next)) next = next[0];
    if (!isFields(next)) break;
    layers.push(next);
    next = within(next);
  }
  return layers;
}

const mostLayers = 8;

function within(value: Fields): unknown {
  const { error, response, upstream_error: upstream, detail, errors, base_resp: base, message, metadata, raw } = value;
  if (isFields(error)) return error;
  if (isFields(response) && isFields(response["error"])) return response["error"];
  if (isFields(upstream)) return upstream;
  if (isFields(detail)) return detail;
  if (Array.isArray(errors) && isFields(errors[0])) return errors[0];
  if (isFields(base)) return base;
  if (isFields(message)) return message;
  if (isFields(metadata) && (metadata["raw"] !== undefined || metadata["provider_name"] !== undefined)) return metadata;
  if (isFields(raw)) return raw;
  return jsonWithin(raw) ?? jsonWithin(message) ?? jsonWithin(error) ?? jsonWithin(detail);
}

/** JSON that is the text, or that stands at its end after some words. */
function jsonWithin(text: unknown): Fields | null {
  if (typeof text !== "string") return null;
  const start = text.indexOf("{");
  if (start < 0 || !text.trimEnd().endsWith("}")) return null;
  const value = parseJson(text.slice(start));
  return isFields(value) ? value : null;
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
