/** Which credential served a conversation last: a preference for its next turn, never a wall. */
export interface Affinity {
  /** Who should come first; undefined when nobody is known. */
  preferred(conversation: string): string | undefined;
  /** A turn was served: binds the conversation to who served it. */
  served(conversation: string, credentialId: string): void;
  /** A turn failed: whoever was preferred is no longer. */
  failed(conversation: string): void;
  readonly size: number;
}

export interface AffinityOptions {
  /** Unix ms. */
  readonly now: () => number;
  /** A binding without a turn ends after this, in ms. Default one hour: as long as prompt caches live at most. */
  readonly ttlMs?: number;
  /** Bindings kept; beyond that the one unused for longest goes. Default 10,000. */
  readonly limit?: number;
}

interface Binding {
  credentialId: string;
  /** Unix ms. */
  until: number;
}

/**
 * Keeps a conversation with the credential whose prompt cache knows it.
 *
 * - Bound by a turn that was served, given up by one that failed; its caller's own mistake or leaving is neither.
 * - Sliding: each turn renews it.
 * - A preference only: a credential that carries enough turns already comes last, whoever prefers it (see `candidates.ts`). A harness that
 *   starts forty agents under one session would else put all of them on one account.
 */
export function createAffinity(options: AffinityOptions): Affinity {
  const { now, ttlMs = 3_600_000, limit = 10_000 } = options;
  // A Map keeps its order, and a binding moves to the end when a turn asks for it: the first is the one unused for longest.
  const bindings = new Map<string, Binding>();
  /** Nobody was used since; it may be gone. */
  let newest: Binding | null = null;

  return {
    preferred(conversation) {
      const binding = bindings.get(conversation);
      if (binding === undefined) return undefined;
      const at = now();
      if (binding.until <= at) {
        bindings.delete(conversation);
        return undefined;
      }
      binding.until = at + ttlMs;
      if (binding !== newest) {
        bindings.delete(conversation);
        bindings.set(conversation, binding);
        newest = binding;
      }
      return binding.credentialId;
    },
    served(conversation, credentialId) {
      const until = now() + ttlMs;
      const binding = bindings.get(conversation);
      if (binding !== undefined) {
        binding.credentialId = credentialId;
        binding.until = until;
        return;
      }
      newest = { credentialId, until };
      bindings.set(conversation, newest);
      if (bindings.size <= limit) return;
      for (const oldest of bindings.keys()) {
        bindings.delete(oldest);
        break;
      }
    },
    failed(conversation) {
      bindings.delete(conversation);
    },
    get size() {
      return bindings.size;
    },
  };
}
