/** True when a web page came where an answer was due. */
export function isHtml(text: string, headers: Readonly<Record<string, string>> = {}): boolean {
  const beginning = text.slice(0, 1_024);
  if (/^\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/is.test(beginning)) return true;
  const contentType: unknown = headers["content-type"];
  return typeof contentType === "string" && /^\s*text\/html\b/i.test(contentType) && /^\s*</.test(beginning);
}

/** The page's title, or its first heading; empty if it has none. */
export function readTitle(page: string): string {
  const title = /<title[^>]{0,200}>([^<]{1,300})</i.exec(page)?.[1] ?? /<h1[^>]{0,200}>([^<]{1,300})</i.exec(page)?.[1];
  return (title ?? "").replace(/\s+/g, " ").trim();
}
