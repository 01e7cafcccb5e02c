import type { ApiKeyCredential } from "../credentials/credential.ts";

/** The keys of the environment, with how often this process has used them, so that they take their turn among the stored ones. */
export class UnstoredKeys {
  #all: readonly ApiKeyCredential[];
  readonly #uses = new Map<string, { uses: number; lastUsedAt: number }>();
  /** By provider, as they were given last: the same until one of them is used, or there are others. */
  readonly #given = new Map<string, readonly ApiKeyCredential[]>();

  constructor(all: readonly ApiKeyCredential[]) {
    this.#all = all;
  }

  of(provider: string): readonly ApiKeyCredential[] {
    let given = this.#given.get(provider);
    if (given === undefined) {
      given = this.#all
        .filter((key) => key.provider === provider)
        .map((key) => ({ ...key, ...this.#uses.get(key.id) }));
      this.#given.set(provider, given);
    }
    return given;
  }

  used(id: string, lastUsedAt: number): void {
    this.#uses.set(id, { uses: (this.#uses.get(id)?.uses ?? 0) + 1, lastUsedAt });
    const provider = this.#all.find((key) => key.id === id)?.provider;
    if (provider !== undefined) this.#given.delete(provider);
  }

  /** The environment or the configuration has changed. */
  replace(all: readonly ApiKeyCredential[]): void {
    this.#all = all;
    this.#given.clear();
  }
}
