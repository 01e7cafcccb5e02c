/** How many turns each credential carries now, in this process. */
export interface CredentialLoad {
  /** A turn calls with this credential; call what is returned when its answer has ended. */
  enter(credentialId: string): () => void;
  of(credentialId: string): number;
}

export function createCredentialLoad(): CredentialLoad {
  const open = new Map<string, number>();
  return {
    enter(credentialId) {
      open.set(credentialId, (open.get(credentialId) ?? 0) + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (open.get(credentialId) ?? 1) - 1;
        if (left > 0) open.set(credentialId, left);
        else open.delete(credentialId);
      };
    },
    of: (credentialId) => open.get(credentialId) ?? 0,
  };
}
