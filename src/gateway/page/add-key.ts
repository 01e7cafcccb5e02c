import { UnderstudyError } from "../../core/error.ts";
import { Secret } from "../../core/secret.ts";
import { checkLabel } from "../../providers/label.ts";
import { storeKey, whyNoKey } from "../../providers/store-key.ts";
import type { Workspace } from "../../workspace.ts";
import type { KeyAdded } from "./view.ts";

export interface GivenKey {
  readonly provider: string;
  readonly key: string;
  /** What the person calls it; missing: `key-1` and so on. */
  readonly label?: string | undefined;
}

/**
 * Stores a key that was entered on the page, as `understudy auth add` does. What it gives, and what it throws (`usage`), repeats nothing
 * of the key. Decision 017 says when a key is taken at all.
 */
export async function addKey({ store, clock, runtime, secrets }: Workspace, given: GivenKey): Promise<KeyAdded> {
  const { key, label = "" } = given;
  // From here on no answer, line or trace holds it.
  secrets.note(key.trim());
  const provider = runtime.findProvider(given.provider);
  if (provider?.signIn.kind !== "api_key") throw new UnderstudyError("usage", "this provider takes no key");
  const problem = whyNoKey(provider, key);
  if (problem !== null) throw new UnderstudyError("usage", problem);
  if (label.trim() !== "") checkLabel(label);
  const stored = await storeKey({
    store,
    clock,
    provider,
    source: { from: "stored", secret: new Secret(key.trim()) },
    ...(label.trim() === "" ? {} : { label }),
  });
  return stored.isNew
    ? { label: stored.credential.label, isNew: true }
    : { label: stored.renamedTo ?? stored.before.label, isNew: false };
}
