import type { SharedV4FileData } from "@ai-sdk/provider";
import type { FileContent, ImageContent, TextContent } from "../protocols/canonical.ts";

/** A file in a prompt or in the result of a tool. */
export interface PromptFile {
  readonly data: SharedV4FileData;
  /** `image/png`, or only the part before the slash, or with a star after it. */
  readonly mediaType: string;
  readonly filename?: string | undefined;
}

/**
 * A file in the neutral form; null for what only one provider could resolve.
 *
 * - Text files travel as text: every model of a route can read that, and few APIs take them as files.
 * - An image keeps its URL if it has one. The AI SDK downloads them beforehand, since the models of a route differ in what they fetch.
 * - Anything else needs its bytes: an uploaded file's id and a plain URL mean nothing to the next provider.
 */
export function writeFile({ data, mediaType, filename }: PromptFile): TextContent | ImageContent | FileContent | null {
  const [kind, subtype] = mediaType.toLowerCase().split("/");
  const named = filename === undefined ? "" : `[file ${filename}]\n`;
  switch (data.type) {
    case "reference":
      return null;
    case "text":
      return { type: "text", text: named + data.text };
    case "url":
      return kind === "image" ? { type: "image", url: data.originalUrl ?? data.url.href } : null;
    case "data": {
      if (kind === "text") return { type: "text", text: named + toText(data.data) };
      const base64 = toBase64(data.data);
      if (kind === "image") {
        const type = subtype === undefined || subtype === "" || subtype === "*" ? sniffImage(base64) : mediaType;
        return { type: "image", url: `data:${type};base64,${base64}` };
      }
      return { type: "file", mediaType, data: base64, ...(filename === undefined ? {} : { filename }) };
    }
  }
}

/** How the base64 of an image of that type begins. */
const imageBeginnings: readonly (readonly [string, string])[] = [
  ["iVBORw", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
];

function sniffImage(base64: string): string {
  return imageBeginnings.find(([beginning]) => base64.startsWith(beginning))?.[1] ?? "image/png";
}

function toBase64(data: Uint8Array | string): string {
  if (typeof data === "string") return data;
  let binary = "";
  // Spread in pieces: a call takes only so many arguments.
  for (let at = 0; at < data.length; at += 8_192) binary += String.fromCharCode(...data.subarray(at, at + 8_192));
  return btoa(binary);
}

function toText(data: Uint8Array | string): string {
  const bytes = typeof data === "string" ? Uint8Array.from(atob(data), (char) => char.charCodeAt(0)) : data;
  return new TextDecoder().decode(bytes);
}
