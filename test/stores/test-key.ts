/** The key of the stores under test. */
export const testKey: Uint8Array = new Uint8Array(32).fill(7);
