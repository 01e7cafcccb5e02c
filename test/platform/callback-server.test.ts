import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type CallbackPage, type CallbackServer, openCallbackServer } from "../../src/platform/callback-server.ts";

const open: CallbackServer[] = [];
afterEach(() => Promise.all(open.splice(0).map((server) => server.close())));

interface Asked {
  readonly server: CallbackServer;
  readonly seen: string[];
}

async function start(page: (params: URLSearchParams) => Promise<CallbackPage>, ports = [0]): Promise<Asked> {
  const seen: string[] = [];
  const opened = await openCallbackServer({
    ports,
    path: "/auth/callback",
    onCallback(params) {
      seen.push(params.toString());
      return page(params);
    },
  });
  if (!opened.ok) throw new Error(opened.message);
  open.push(opened.server);
  return { server: opened.server, seen };
}

const ok: CallbackPage = { status: 200, title: "Signed in", text: "as <ann> & co" };

/** Like fetch, but with any Host. */
function get(port: number, path: string, options: { host?: string; method?: string } = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const { host = `127.0.0.1:${port}`, method = "GET" } = options;
    request({ port, host: "127.0.0.1", path, method, headers: { host } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    })
      .on("error", reject)
      .end();
  });
}

describe("the callback server", () => {
  it("hands over the query, and shows a page that nothing can be smuggled into or leaked from", async () => {
    const { server, seen } = await start(() => Promise.resolve(ok));
    const response = await fetch(`http://127.0.0.1:${server.port}/auth/callback?code=c&state=s`);
    expect(seen).toEqual(["code=c&state=s"]);
    const page = await response.text();
    expect(page).toContain("as &#60;ann&#62; &#38; co");
    expect(page).not.toContain("<script");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringContaining("default-src 'none'") as string,
    });
  });

  it.each<[string, string, { host?: string; method?: string }, number]>([
    ["another path", "/", {}, 404],
    ["a path below its own", "/auth/callback/x?code=c", {}, 404],
    ["another method", "/auth/callback?code=c", { method: "POST" }, 405],
    ["a name that a web page pointed here", "/auth/callback?code=c", { host: "evil.example:80" }, 400],
    ["a name that only begins like this machine", "/auth/callback?code=c", { host: "localhost.evil.example" }, 400],
  ])("hands over nothing for %s", async (_, path, options, status) => {
    const { server, seen } = await start(() => Promise.resolve(ok));
    expect(await get(server.port, path, options)).toBe(status);
    expect(seen).toEqual([]);
  });

  it("lets an answer under way arrive when it closes, and frees the port", async () => {
    let finish = (): void => {};
    const { server, seen } = await start(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(ok);
        }),
    );
    const answer = get(server.port, "/auth/callback?code=c");
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closed = server.close();
    finish();
    expect(await answer).toBe(200);
    await closed;
    await expect(get(server.port, "/")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("takes the next port when one is taken, and names who holds them when all are", async () => {
    const { server: first } = await start(() => Promise.resolve(ok));
    const { server: second } = await start(() => Promise.resolve(ok), [first.port, 0]);
    expect(second.port).not.toBe(first.port);
    const none = await openCallbackServer({
      ports: [first.port, second.port],
      path: "/",
      onCallback: () => Promise.resolve(ok),
    });
    expect(none).toMatchObject({ ok: false });
    const known = process.platform === "linux" ? `\\S.* \\(pid ${process.pid}\\)` : "another program";
    expect(none.ok ? "" : none.message).toMatch(
      new RegExp(`port ${first.port} is held by ${known}, and port ${second.port} is held by ${known}$`),
    );
  });
});
