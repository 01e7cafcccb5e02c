/** Prints the key of the key file `argv[2]`, making it if missing. */
import { readOrCreateKeyFile } from "../../../src/stores/key-file.ts";

console.log(Buffer.from(readOrCreateKeyFile(process.argv[2] ?? "")).toString("hex"));
