// One process that uses the ChatGPT login of pi's `AuthStorage`, as it is published: node pi-use.mjs PACKAGE_FOLDER AUTH_FILE TOKEN_URL.
// Its token URL is a constant, so `fetch` is led to the scripted server; nothing else of it is touched.
import { pathToFileURL } from "node:url";

const [, , folder, authFile, tokenUrl] = process.argv;
const realFetch = globalThis.fetch;
globalThis.fetch = (url, init) => realFetch(url === "https://auth.openai.com/oauth/token" ? tokenUrl : url, init);
const { AuthStorage } = await import(pathToFileURL(`${folder}/dist/core/auth-storage.js`).href);
const storage = AuthStorage.create(authFile);
const key = await storage.getApiKey("openai-codex");
for (const error of storage.drainErrors()) console.error(String(error));
process.exit(typeof key === "string" ? 0 : 1);
