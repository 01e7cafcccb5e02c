import type { Provider } from "./provider.ts";

/** A model as its provider lists it. */
export interface ListedModel {
  readonly id: string;
  /** For a person; null when it is the id. */
  readonly name: string | null;
}

/** Ids of what can't hold a conversation, as the makers name them. Left out of the list, not forbidden. */
const otherKinds =
  /(?:^|[-/_.])(?:embed|embedding|embeddings|rerank|moderation|whisper|tts|stt|transcribe|transcription|realtime|audio|image|dall-e|sora|babbage|davinci|veo|imagen)(?:$|[-_.\d:])/i;

/** Behind all that have a place, where a provider gives places. */
const noPriority = 10_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a list of models, whoever's it is: `{data: [{id}]}` (OpenAI, Anthropic and their copies), `{models: [{slug, priority,
 * visibility}]}` (Codex), `{models: [{name}]}`, or a bare list. Null when it is none of these.
 *
 * - Codex: hidden ones are left out, the rest is sorted by priority, then by slug. `supported_in_api` is not looked at: it speaks of
 *   the public API, and some models that a plan may use carry false.
 * - All others: what is no model for a conversation is left out, the rest is sorted by id, numbers by size.
 */
export function readModelList(provider: Provider, body: unknown): ListedModel[] | null {
  const rows = rowsOf(body);
  if (rows === null) return null;
  return provider.signIn.kind === "codex" ? codexModels(rows) : otherModels(rows);
}

function codexModels(rows: readonly Fields[]): ListedModel[] {
  const shown = rows.flatMap((row) => {
    const id = textOf(row["slug"]);
    const visibility = textOf(row["visibility"])?.toLowerCase();
    if (id === null || visibility === "hide" || visibility === "hidden") return [];
    const priority = typeof row["priority"] === "number" ? row["priority"] : noPriority;
    return [{ priority, model: { id, name: nameOf(row, id) } }];
  });
  shown.sort((a, b) => a.priority - b.priority || compare(a.model.id, b.model.id));
  return withoutDoubles(shown.map(({ model }) => model));
}

function otherModels(rows: readonly Fields[]): ListedModel[] {
  const models = rows.flatMap((row) => {
    const id = textOf(row["id"]) ?? textOf(row["name"]) ?? textOf(row["slug"]);
    if (id === null || otherKinds.test(id)) return [];
    return [{ id, name: nameOf(row, id) }];
  });
  return withoutDoubles(models.sort((a, b) => compare(a.id, b.id)));
}

function rowsOf(body: unknown): Fields[] | null {
  const fields = isFields(body) ? body : {};
  const list = [body, fields["data"], fields["models"]].find((candidate) => Array.isArray(candidate));
  return list === undefined ? null : (list as unknown[]).filter(isFields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(row: Fields, id: string): string | null {
  const name = textOf(row["display_name"]) ?? textOf(row["name"]);
  return name === id ? null : name;
}

/** Trimmed, on one line, without what could steer a terminal; null for everything else. */
function textOf(value: unknown): string | null {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" || text.length > 200 || /[\p{C}\p{Zl}\p{Zp}]/u.test(text) ? null : text;
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a: string, b: string): number {
  return collator.compare(a, b);
}

function withoutDoubles(models: readonly ListedModel[]): ListedModel[] {
  return models.filter(({ id }, i) => models.findIndex((other) => other.id === id) === i);
}
