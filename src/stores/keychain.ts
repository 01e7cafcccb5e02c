/** Where a system keeps secrets for its user: under a name of ours, as text. */
export interface Keychain {
  /** Null when there is no such secret; some systems say so of a locked one too. Rejects when it can't be read. */
  read(name: string): Promise<string | null>;
  write(name: string, secret: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/**
 * Opens this system's keychain; null when it has none that answers. `new`: a secret is to be put there, and nobody is to be kept waiting
 * for it. `known`: one is there, and a person may have to unlock it first.
 */
export type OpenKeychain = (purpose: "new" | "known") => Promise<Keychain | null>;

/** A line in a key file that stands for a key in the keychain. */
export function formatPointer(name: string): string {
  return `keychain ${name}`;
}

/** The name that such a line holds; null when it is none. */
export function parsePointer(text: string): string | null {
  return /^keychain ([0-9a-f]{16})$/.exec(text.trim())?.[1] ?? null;
}
