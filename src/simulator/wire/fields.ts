/** JSON from a client: nothing is known of it. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The text in a message's content, which is text itself or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = arrayOf(content).map((part) => fieldsOf(part).text);
  return texts.filter((text) => typeof text === "string").join("");
}
