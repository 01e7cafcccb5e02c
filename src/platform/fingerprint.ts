import { createHash } from "node:crypto";

/** SHA-256 in lower-case hex: names a key without telling it. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
