import type { Ids } from "../ids.ts";
import type { SecretNames } from "../secret-names.ts";

/** One API key that a backend knows. */
export interface SimulatedKey {
  readonly name: string;
  readonly value: string;
  /** A revoked key is refused as if it had never been. */
  revoked: boolean;
}

/** The keys a backend accepts. */
export class KeyRing {
  readonly #keys = new Map<string, SimulatedKey>();
  readonly #prefix: string;
  readonly #ids: Ids;
  readonly #secrets: SecretNames;

  /** `prefix` begins every key that is made here, as the provider's own keys begin. */
  constructor(prefix: string, ids: Ids, secrets: SecretNames) {
    this.#prefix = prefix;
    this.#ids = ids;
    this.#secrets = secrets;
  }

  /** Accepts `value`, or a key made for the purpose, under `name`. Returns the key. */
  add(name: string, value: string = this.#ids.next(this.#prefix, 40)): string {
    if ([...this.#keys.values()].some((key) => key.name === name)) throw new Error(`key ${name} exists`);
    this.#keys.set(value, { name, value, revoked: false });
    this.#secrets.add(value, `key ${name}`);
    return value;
  }

  /** From now on the key is refused. Throws when there is none of that name. */
  revoke(name: string): void {
    const key = [...this.#keys.values()].find((candidate) => candidate.name === name);
    if (key === undefined) throw new Error(`there is no key ${name}`);
    key.revoked = true;
  }

  /** The key of that value, if it is accepted. */
  find(value: string): SimulatedKey | null {
    const key = this.#keys.get(value);
    return key === undefined || key.revoked ? null : key;
  }

  /** All keys, in the order in which they were added. */
  list(): readonly SimulatedKey[] {
    return [...this.#keys.values()];
  }
}
