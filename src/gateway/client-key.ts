import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { dirname, join } from "node:path";
import { UnderstudyError } from "../core/error.ts";
import type { UnderstudyHome } from "../platform/home.ts";
import { fileError, makePrivateFolder, syncFolder, tightenFile, withReason } from "../stores/private-file.ts";

/** Where the key of this installation's clients is kept. */
export function clientKeyFile(home: UnderstudyHome): string {
  return join(home.dataDir, "client.key");
}

/**
 * The key that clients of this installation present, made at the first call: 32 random bytes, 0600, on disk before the name
 * appears. Of two processes that make it at once, both get the same. Throws `store_unavailable` when it can't be read or made.
 */
export function readOrCreateClientKey(file: string): string {
  return readOrCreateKey(file, { prefix: "uk", name: "client key" });
}

/** The same for any key of this installation. `name` is what a person reads when it fails. */
export function readOrCreateKey(file: string, kind: { readonly prefix: string; readonly name: string }): string {
  if (!tightenFile(file)) createKey(file, kind);
  const key = withReason(`the ${kind.name} ${file} can't be read`, () => readFileSync(file, "utf8")).trim();
  if (key.length < 16) {
    throw new UnderstudyError("store_unavailable", `${file} holds no ${kind.name}: remove it and a new one is made`);
  }
  return key;
}

function createKey(file: string, { prefix, name }: { readonly prefix: string; readonly name: string }): void {
  makePrivateFolder(dirname(file));
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    const descriptor = openSync(aside, "wx", 0o600);
    try {
      writeSync(descriptor, `${prefix}-${randomBytes(32).toString("base64url")}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(aside, file);
    syncFolder(dirname(file));
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!isThere) throw fileError(`the ${name} ${file} can't be made`, error);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Longest key that is compared as it is, in bytes; of a longer one its hash is. */
const longestKey = 126;

/**
 * Says whether a request carries the key. What is compared, in constant time, has the same size whatever the keys are: neither length nor
 * content leaks.
 */
export function createKeyCheck(clientKey: string): (headers: IncomingHttpHeaders) => boolean {
  const expected = Buffer.alloc(longestKey + 2);
  const given = Buffer.alloc(longestKey + 2);
  fit(clientKey.trim(), expected);
  const isIt = (key: string): boolean => {
    fit(key, given);
    return timingSafeEqual(given, expected);
  };
  return ({ authorization, "x-api-key": apiKey }) => {
    const bearer = authorization === undefined ? "" : bearerIn(authorization);
    // Each is compared: a wrong one beside a right one is nobody's mistake but costs nobody anything.
    const byBearer = bearer !== "" && isIt(bearer);
    const byKey = typeof apiKey === "string" && apiKey !== "" && isIt(apiKey);
    return byBearer || byKey;
  };
}

const bearerPattern = /^bearer +(\S+) *$/i;

function bearerIn(authorization: string): string {
  return bearerPattern.exec(authorization)?.[1] ?? "";
}

/** Fills `place` with a key: how it is written, how long it is, and what it is; the rest is empty. */
function fit(key: string, place: Buffer): void {
  place.fill(0);
  // No character takes less than a byte, or more than three.
  const isShort = key.length <= longestKey / 3 || (key.length <= longestKey && Buffer.byteLength(key) <= longestKey);
  if (isShort) {
    place[1] = place.write(key, 2);
  } else {
    place[0] = 1;
    place.set(hash("sha256", key, "buffer"), 2);
  }
}
