import type { Clock } from "../core/clock.ts";
import { isUsableSecret } from "../core/secret.ts";
import type { ApiKeyCredential, Credential, KeySource } from "../credentials/credential.ts";
import type { Store } from "../credentials/store.ts";
import { refusedKey } from "./environment.ts";
import type { Provider } from "./provider.ts";

/** Why `text` is not taken as a key of this provider, in words that repeat nothing of it; null when it is. */
export function whyNoKey(provider: Provider, text: string): string | null {
  const isUsable: boolean = isUsableSecret(text);
  if (isUsable) return refusedKey(provider, text);
  const trimmed = text.trim();
  if (trimmed === "") return "no key was given";
  if (/\s/.test(trimmed)) return "that can't be a key: it holds blanks";
  return trimmed.length < 4 ? "that can't be a key: it is too short" : "that is a placeholder, not a key";
}

export interface NewKey {
  readonly store: Store;
  readonly clock: Clock;
  readonly provider: Provider;
  readonly source: KeySource;
  /** What a person calls it. Missing: `name`, with a number if that is taken. */
  readonly label?: string;
  /** Default `key`, which always has a number. */
  readonly name?: string;
}

/** A key that was stored, or the one that was there. */
export type StoredKey =
  | { readonly isNew: true; readonly credential: ApiKeyCredential /** In its pool, from 1. */; readonly place: number }
  /** `before` as it was; what of it was changed is told by the others. */
  | {
      readonly isNew: false;
      readonly before: Credential;
      readonly renamedTo: string | null;
      readonly resumed: boolean;
      readonly rests: number;
    };

/**
 * Adds a key at the end of its provider's pool, stored sealed or by reference. The same key a second time changes the credential that is
 * there: whoever adds it wants it used, so it is resumed, its rests end, and it gets the label that is given now. Throws `usage` for a
 * label that is taken.
 */
export async function storeKey({ store, clock, provider, source, label, name = "key" }: NewKey): Promise<StoredKey> {
  const pool = await store.listCredentials(provider.id);
  const same = pool.find((credential) => credential.kind === "api_key" && isSameSource(credential.source, source));
  if (same === undefined) {
    const chosen = label?.trim() ?? freeLabel(name, pool);
    const credential = await store.addApiKey({ provider: provider.id, label: chosen, source, at: clock.now() });
    return { isNew: true, credential, place: pool.length + 1 };
  }
  const renamed = label !== undefined && label.trim() !== same.label;
  const updated = await store.updateCredential(same.id, {
    paused: false,
    ...(renamed ? { label: label.trim() } : {}),
  });
  return {
    isNew: false,
    before: same,
    renamedTo: renamed ? (updated?.label ?? label) : null,
    resumed: same.paused,
    rests: await store.clearCooldowns({ credentialId: same.id }),
  };
}

function isSameSource(a: KeySource, b: KeySource): boolean {
  if (a.from === "stored" && b.from === "stored") return a.secret.equals(b.secret);
  if (a.from === "env" && b.from === "env") return a.name === b.name;
  if (a.from === "file" && b.from === "file") return a.path === b.path;
  return a.from === "command" && b.from === "command" && a.command === b.command;
}

/** `key-1`, `$NAME`, the name of the file, the first word of the command; with a number if that is taken. */
function freeLabel(name: string, pool: readonly Credential[]): string {
  const taken = new Set(pool.map(({ label }) => label.toLowerCase()));
  for (let n = 1; ; n++) {
    const label = name === "key" ? `key-${n}` : n === 1 ? name : `${name}-${n}`;
    if (!taken.has(label.toLowerCase())) return label;
  }
}
