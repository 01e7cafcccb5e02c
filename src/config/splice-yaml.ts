import { isMap, isScalar, type Node, Document, type YAMLMap, type YAMLSeq } from "yaml";

/**
 * Changes to YAML text that leave every byte alone but those they are about. They know the usual ways to write a list or a map;
 * for anything else they give null, and the caller, who checks the result in any case, does it another way.
 */

/** The items of a list in their new order: the number of an item that is there, or the text of a new one. */
export type ListPlan = readonly (number | string)[];

/** The text with the items of `list` as planned, their comments with them. */
export function spliceList(text: string, list: YAMLSeq, plan: ListPlan): string | null {
  const [start, end] = rangeOf(list);
  const items = list.items.map((item) => rangeOf(item as Node));
  if (list.flow === true) return spliceFlow(text, start, end, items, plan);
  return spliceLines(text, items, plan);
}

function spliceFlow(
  text: string,
  start: number,
  end: number,
  items: readonly (readonly [number, number])[],
  plan: ListPlan,
): string | null {
  const inside = text.slice(start, end);
  // A comment inside belongs to some item, and nobody knows to which.
  if (!inside.startsWith("[") || !inside.endsWith("]") || inside.includes("#")) return null;
  const padding = inside.startsWith("[ ") ? " " : "";
  const parts = plan.map((part) => (typeof part === "string" ? part : slice(text, items[part])));
  return `${text.slice(0, start)}[${padding}${parts.join(", ")}${padding}]${text.slice(end)}`;
}

/** A list of lines that begin with a dash: each item has its lines, and the comments right above it. */
function spliceLines(text: string, items: readonly (readonly [number, number])[], plan: ListPlan): string | null {
  const lines = text.split("\n");
  const lineOf = (offset: number): number => text.slice(0, offset).split("\n").length - 1;
  const dashes = items.map(([start]) => lineOf(start));
  const first = dashes[0];
  const lastItem = items.at(-1);
  const indent = first === undefined ? undefined : /^(\s*)-\s/.exec(lines[first] ?? "")?.[1];
  if (first === undefined || lastItem === undefined || indent === undefined) return null;
  if (dashes.some((line) => !(lines[line] ?? "").startsWith(`${indent}-`))) return null;
  const above = (line: number, limit: number): number => {
    let top = line;
    while (top - 1 > limit && /^\s*#/.test(lines[top - 1] ?? "")) top -= 1;
    return top;
  };
  const tops = dashes.map((line, i) => above(line, i === 0 ? -1 : (dashes[i - 1] ?? -1)));
  const end = lineOf(Math.max(lastItem[1] - 1, lastItem[0])) + 1;
  const chunks = tops.map((top, i) => lines.slice(top, tops[i + 1] ?? end));
  const planned = plan.flatMap((part) => (typeof part === "string" ? [`${indent}- ${part}`] : (chunks[part] ?? [])));
  return [...lines.slice(0, tops[0]), ...planned, ...lines.slice(end)].join("\n");
}

/**
 * The text with `key: value` as the last entry of the section at the top level, which is made if it is not there. `value` is YAML
 * on one line.
 */
export function spliceEntry(
  text: string,
  document: Document,
  section: string,
  key: string,
  value: string,
): string | null {
  const entry = `${key}: ${value}`;
  const contents: unknown = document.contents;
  if (contents === null) return `${ended(text)}${section}:\n  ${entry}\n`;
  if (!isMap(contents) || contents.flow === true) return null;
  const pair = contents.items.find((one) => isScalar(one.key) && one.key.value === section);
  if (pair === undefined) return `${ended(text)}${section}:\n  ${entry}\n`;
  const lines = text.split("\n");
  const lineOf = (offset: number): number => text.slice(0, offset).split("\n").length - 1;
  if (isMap(pair.value) && pair.value.flow !== true && pair.value.items.length > 0) {
    const map: YAMLMap = pair.value;
    const [start] = rangeOf(map.items[0]?.key as Node);
    const indent = /^\s*/.exec(lines[lineOf(start)] ?? "")?.[0] ?? "";
    const last = map.items.at(-1);
    const [, end] = rangeOf((last?.value ?? last?.key) as Node);
    const at = lineOf(Math.max(0, end - 1)) + 1;
    return [...lines.slice(0, at), `${indent}${entry}`, ...lines.slice(at)].join("\n");
  }
  const isEmpty = pair.value === null || (isScalar(pair.value) && pair.value.value === null);
  if (!isEmpty) return null;
  const at = lineOf(rangeOf(pair.key as Node)[0]) + 1;
  return [...lines.slice(0, at), `  ${entry}`, ...lines.slice(at)].join("\n");
}

/** A value as YAML on one line. */
export function oneLine(value: unknown): string {
  const document = new Document(value);
  const node = document.createNode(value, { flow: true });
  document.contents = node as Document["contents"];
  return document.toString({ lineWidth: 0, flowCollectionPadding: isMap(node) }).trimEnd();
}

function rangeOf(node: Node): readonly [number, number] {
  const range = node.range;
  if (range == null) throw new RangeError("a node without its place");
  return [range[0], range[1]];
}

function slice(text: string, range: readonly [number, number] | undefined): string {
  return range === undefined ? "" : text.slice(range[0], range[1]);
}

function ended(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
