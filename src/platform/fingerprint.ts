/** SHA-256 in lower-case hex: names a key without telling it. Loads what it is made of when it is asked first: 7 ms of a start. */
export function fingerprint(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}
