/** Takes the write lock of the SQLite file `argv[2]`, runs the statements in the JSON of `argv[3]`, and dies before they are committed. */
import { DatabaseSync } from "node:sqlite";

const [, , file = "", statements = "[]"] = process.argv;
const database = new DatabaseSync(file);
database.exec("BEGIN IMMEDIATE");
for (const statement of JSON.parse(statements) as string[]) database.exec(statement);
process.kill(process.pid, "SIGKILL");
