/**
 * Gives the store at `argv[2]` another key for ever, and prints a line each time. A path: with the key file `argv[3]` beside it. An
 * address: to and fro between the keys `argv[3]` and `argv[4]`.
 */
import { writeSync } from "node:fs";
import { openPostgresTools } from "../../../src/stores/postgres/tools.ts";
import { keysOfFile, rekeyStore, rekeyWithFile } from "../../../src/stores/rekey.ts";
import { parseKey } from "../../../src/stores/seal.ts";
import { openSqliteTools } from "../../../src/stores/sqlite/tools.ts";

const [, , place = "", first = "", second = ""] = process.argv;
const keys = [parseKey(first), parseKey(second)].flatMap((key) => (key === null ? [] : [key]));
for (let n = 1; ; n++) {
  const [old, next] = keys;
  if (old === undefined || next === undefined) {
    await rekeyWithFile(first, () => openSqliteTools({ file: place, key: () => keysOfFile(first) }));
  } else {
    const tools = await openPostgresTools({ address: place, key: () => Promise.resolve(keys) });
    if (!(await rekeyStore(tools, next))) await rekeyStore(tools, old);
    await tools.close();
  }
  writeSync(1, `${n}\n`);
}
