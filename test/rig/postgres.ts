import { afterAll, beforeAll, describe } from "vitest";
import { EmbeddedServer, GivenServer, type TestServer, unusable } from "./postgres-server.ts";

export type { TestServer } from "./postgres-server.ts";

/**
 * Declares the tests of `define` with a server that runs from the first to the last of them: the one that `TEST_DATABASE_URL` names,
 * or one of our own, which can be stopped (`ownServer`). Where that one does not run they are skipped with a message, and fail in CI.
 */
export function describeWithPostgres(
  name: string,
  define: (server: TestServer) => void,
  options: { readonly ownServer?: boolean } = {},
): void {
  const given = process.env["TEST_DATABASE_URL"];
  const embedded = given === undefined || options.ownServer === true;
  describe.skipIf(embedded && unusable !== null)(name, () => {
    const server = embedded ? new EmbeddedServer() : new GivenServer(given);
    beforeAll(() => server.open(), 60_000);
    afterAll(() => server.close(), 60_000);
    define(server);
  });
}
