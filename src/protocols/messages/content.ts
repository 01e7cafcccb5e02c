import type { FileContent, ImageContent, JsonObject } from "../canonical.ts";
import { compact, objectAt, objectsAt, stringAt } from "../read-json.ts";

/** The kinds of image that Anthropic reads. Source: its vision guide. */
const imageTypes = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** An image block; null when Anthropic can't read the image. */
export function writeImage(image: ImageContent): JsonObject | null {
  if (/^https?:\/\//i.test(image.url)) return { type: "image", source: { type: "url", url: image.url } };
  const data = parseDataUrl(image.url);
  if (data === null || !imageTypes.has(data.mediaType)) return null;
  return { type: "image", source: { type: "base64", media_type: data.mediaType, data: data.base64 } };
}

/** A document block for a PDF or plain text; null for other kinds. */
export function writeFile(file: FileContent): JsonObject | null {
  const source = writeSource(file);
  return source === null ? null : compact({ type: "document", source, title: file.filename });
}

function writeSource({ mediaType, data }: FileContent): JsonObject | null {
  if (mediaType === "application/pdf") return { type: "base64", media_type: mediaType, data };
  const text = mediaType.startsWith("text/") ? decodeBase64(data) : null;
  return text === null ? null : { type: "text", media_type: "text/plain", data: text };
}

/** What an image block shows; null for a source that only Anthropic can resolve. */
export function readImage(block: JsonObject): ImageContent | null {
  const source = objectAt(block, "source");
  const url = stringAt(source, "url");
  if (source?.["type"] === "url" && url !== undefined) return { type: "image", url };
  const data = stringAt(source, "data");
  if (source?.["type"] !== "base64" || data === undefined) return null;
  return { type: "image", url: `data:${stringAt(source, "media_type") ?? "image/png"};base64,${data}` };
}

/** What a document block holds; null for a source that only Anthropic can resolve. */
export function readDocument(block: JsonObject): FileContent | null {
  const source = objectAt(block, "source");
  const filename = stringAt(block, "title");
  const named = filename === undefined ? {} : { filename };
  const data = stringAt(source, "data");
  if (source?.["type"] === "base64" && data !== undefined) {
    return { type: "file", mediaType: stringAt(source, "media_type") ?? "application/pdf", data, ...named };
  }
  const text = documentText(block);
  return text === null ? null : { type: "file", mediaType: "text/plain", data: encodeBase64(text), ...named };
}

/** The text of a document that is made of text; null for others. */
export function documentText(block: JsonObject): string | null {
  const source = objectAt(block, "source");
  if (source?.["type"] === "text") return stringAt(source, "data") ?? null;
  if (source?.["type"] !== "content") return null;
  const whole = stringAt(source, "content");
  return (
    whole ??
    objectsAt(source, "content")
      .flatMap((part) => stringAt(part, "text") ?? [])
      .join("\n")
  );
}

/** Only the base64 form; searched, not matched, since it may be many megabytes long. */
function parseDataUrl(url: string): { mediaType: string; base64: string } | null {
  const comma = url.indexOf(",");
  const header = url.slice(0, comma).toLowerCase();
  if (comma < 0 || !header.startsWith("data:") || !header.endsWith(";base64")) return null;
  return { mediaType: header.slice("data:".length).split(";")[0] ?? "", base64: url.slice(comma + 1) };
}

function decodeBase64(data: string): string | null {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)));
  } catch {
    return null;
  }
}

function encodeBase64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
