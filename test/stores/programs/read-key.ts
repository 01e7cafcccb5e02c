/** Prints the keys of the key files in `argv`, making those that are missing. */
import { readOrCreateKeyFile } from "../../../src/stores/key-file.ts";

for (const file of process.argv.slice(2)) console.log(Buffer.from(readOrCreateKeyFile(file)).toString("hex"));
