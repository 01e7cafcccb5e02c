import type { KeyObject } from "node:crypto";

/**
 * Sealing of secrets at rest: AES-256-GCM (NIST SP 800-38D) under one key per store.
 *
 * A sealed value is `version (1 byte) | nonce (12) | ciphertext | tag (16)`. The record's id and the field's name are the associated
 * data, so that a sealed value copied to another row or column no longer opens. The nonce is random, which is sound up
 * to 2^32 values per key: a store writes three per refresh.
 */
export interface Sealer {
  seal(text: string, id: string, field: string): Uint8Array;
  /** Throws a `SealError` when the value was sealed with another key, for another place, or was altered. */
  open(sealed: Uint8Array, id: string, field: string): string;
}

/** A sealed value does not open. The message names no part of it. */
export class SealError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SealError";
  }
}

/** Length of the key, in bytes. */
export const keyBytes = 32;

const algorithm = "aes-256-gcm";
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** `key` is `keyBytes` long; throws a `RangeError` otherwise. */
export function createSealer(key: Uint8Array): Sealer {
  if (key.length !== keyBytes) throw new RangeError(`the key has ${key.length} bytes, not ${keyBytes}`);
  let secretKey: KeyObject | null = null;
  const keyObject = (): KeyObject => (secretKey ??= loadCrypto().createSecretKey(key));

  return {
    seal(text, id, field) {
      const { randomBytes, createCipheriv } = loadCrypto();
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, keyObject(), nonce, { authTagLength: tagBytes });
      cipher.setAAD(associatedData(id, field));
      const body = cipher.update(text, "utf8");
      return Buffer.concat([Uint8Array.of(version), nonce, body, cipher.final(), cipher.getAuthTag()]);
    },

    open(sealed, id, field) {
      if (sealed[0] !== version || sealed.length < 1 + nonceBytes + tagBytes) {
        throw new SealError("this is not a sealed value of a known version");
      }
      const nonce = sealed.subarray(1, 1 + nonceBytes);
      const decipher = loadCrypto().createDecipheriv(algorithm, keyObject(), nonce, { authTagLength: tagBytes });
      decipher.setAAD(associatedData(id, field));
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      try {
        const body = decipher.update(sealed.subarray(1 + nonceBytes, sealed.length - tagBytes));
        return Buffer.concat([body, decipher.final()]).toString("utf8");
      } catch (error) {
        throw new SealError("the sealed value does not open with this key at this place", { cause: error });
      }
    },
  };
}

/** At the first secret: a command that shows none need not wait 7 ms for it. */
function loadCrypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

/** The version is part of it: a value can't be passed off as one of another version. */
function associatedData(id: string, field: string): Uint8Array {
  return Buffer.from(`${version}\0${id}\0${field}`, "utf8");
}

/** Reads a key written as base64, base64url or hex. Null when it is none of these or not `keyBytes` long. */
export function parseKey(text: string): Uint8Array | null {
  const trimmed = text.trim();
  const hex = /^[0-9a-f]{64}$/i.test(trimmed);
  if (!hex && !/^[\w+/-]{43}=?$/.test(trimmed)) return null;
  // Node reads both alphabets of base64.
  const key = Buffer.from(trimmed, hex ? "hex" : "base64");
  return key.length === keyBytes ? key : null;
}

/** The form in which `parseKey` reads it back: base64. */
export function formatKey(key: Uint8Array): string {
  return Buffer.from(key).toString("base64");
}
