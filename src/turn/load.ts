/** How many turns each credential carries now, in this process. */
export interface CredentialLoad {
  /** A turn calls with this credential; call what is returned when its answer has ended. */
  enter(credentialId: string): () => void;
  of(credentialId: string): number;
}

/** Of more credentials than this, those that carry nothing are forgotten. */
const mostKept = 1_000;

export function createCredentialLoad(): CredentialLoad {
  const loads = new Map<string, { turns: number }>();
  return {
    enter(credentialId) {
      let load = loads.get(credentialId);
      if (load === undefined) loads.set(credentialId, (load = { turns: 0 }));
      const entered = load;
      entered.turns += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        entered.turns -= 1;
        if (entered.turns === 0 && loads.size > mostKept) loads.delete(credentialId);
      };
    },
    of: (credentialId) => loads.get(credentialId)?.turns ?? 0,
  };
}
