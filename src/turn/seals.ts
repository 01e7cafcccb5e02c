/**
 * Who made which sealed reasoning: encrypted texts and signatures that only the account and model that made them can read. A caller
 * sends back all of them, so after a switch the next provider would refuse the request for what another one wrote.
 *
 * Kept in memory: after a restart nothing is known, and the first refusal repairs the request and is learned from.
 */
export interface SealLedger {
  /** An answer of `issuer` (see `issuerName`) held these. */
  made(seals: readonly string[], issuer: string): void;
  /** `issuer` refused a request with these. Those that it is known to have made are not meant. */
  refused(seals: readonly string[], issuer: string): void;
  /** True when `issuer` is known not to be able to read it. */
  isForeign(seal: string, issuer: string): boolean;
  /** True while nothing is known of any. */
  readonly isEmpty: boolean;
}

/** Seals remembered; beyond that the oldest goes. A conversation has about one per answer. */
const defaultLimit = 20_000;

export function createSealLedger(limit: number = defaultLimit): SealLedger {
  // A Map keeps its order: the first is the oldest.
  const known = new Map<string, { issuer: string | null; readonly refusedBy: Set<string> }>();

  function entryOf(seal: string): { issuer: string | null; readonly refusedBy: Set<string> } {
    const key = keyOf(seal);
    const entry = known.get(key) ?? { issuer: null, refusedBy: new Set<string>() };
    known.delete(key);
    known.set(key, entry);
    const [oldest] = known.keys();
    if (known.size > limit && oldest !== undefined) known.delete(oldest);
    return entry;
  }

  return {
    get isEmpty() {
      return known.size === 0;
    },
    made(seals, issuer) {
      for (const seal of seals) entryOf(seal).issuer = issuer;
    },
    refused(seals, issuer) {
      for (const seal of seals) {
        const entry = entryOf(seal);
        if (entry.issuer === null) entry.refusedBy.add(issuer);
      }
    },
    isForeign(seal, issuer) {
      const entry = known.get(keyOf(seal));
      if (entry === undefined) return false;
      return entry.issuer === null ? entry.refusedBy.has(issuer) : entry.issuer !== issuer;
    },
  };
}

/** Account and model: what one model encrypted, another of the same account need not be able to read. */
export function issuerName(credentialId: string, model: string): string {
  return `${credentialId}\n${model}`;
}

const none: readonly string[] = [];

/** The encrypted texts, the signatures and the ids of stored reasoning in a body, or in the data of an event. */
export function sealsIn(text: string): readonly string[] {
  if (!mayHoldSeals.test(text)) return none;
  return [...text.matchAll(pattern)].map(([, seal, id]) => seal ?? id ?? "");
}

/** A text without any of these holds no seal. */
export const sealNames: readonly string[] = ['"encrypted_content"', '"signature"', '"rs_'];
/** The same in one pass, which is several times as fast. */
const mayHoldSeals = new RegExp(sealNames.join("|"));
const pattern = /"(?:encrypted_content|signature)"\s*:\s*"([^"\\]{16,})"|"id"\s*:\s*"(rs_[^"\\]+)"/g;

/** Such texts are long, begin alike, and end with a hash or a signature. */
function keyOf(seal: string): string {
  return `${seal.length} ${seal.slice(-64)}`;
}
