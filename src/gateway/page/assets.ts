import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** A file of the page, ready to be sent. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** True when its name changes with its content. */
  readonly immutable: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The built page by path (`/`, `/assets/…`), read whole. Null when it was not built. The folder is `dist/page` of this package,
 * whether the gateway runs from its sources, from a bundle or installed.
 */
export function readAssets(folder: string | null = findPageFolder()): ReadonlyMap<string, Asset> | null {
  if (folder === null || !existsSync(join(folder, "index.html"))) return null;
  const assets = new Map<string, Asset>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(folder, name));
    const path = name.replaceAll("\\", "/");
    assets.set(path === "index.html" ? "/" : `/${path}`, {
      type,
      bytes,
      gzipped: gzipSync(bytes),
      immutable: path.startsWith("assets/"),
    });
  }
  return assets;
}

/** `dist/page` of this package, which is the nearest one of its name above this file; null when there is none. */
export function findPageFolder(from: string = import.meta.dirname): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isThisPackage(join(folder, "package.json"))) return join(folder, "dist", "page");
    if (dirname(folder) === folder) return null;
  }
}

function isThisPackage(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { name?: unknown }).name === "understudy";
  } catch {
    return false;
  }
}
