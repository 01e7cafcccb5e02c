import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { clientKey, dialects, openGatewayRig } from "./rig.ts";

const head = `POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\ncontent-type: application/json\r\n`;
const hello = { model: "coding", input: "hello" };

describe("a body that is none", () => {
  it.each(dialects)("is a 400 in $name", async ({ name, path }) => {
    await using rig = await openGatewayRig();
    for (const body of ["", "{", "[]", "null", '"x"', '{"model":"coding"', "model=coding"]) {
      const reply = await rig.ask(path, { body });
      expect(reply.status).toBe(400);
      const said = JSON.parse(reply.text) as { type?: string; error: { type: string; message: string } };
      expect(said.error.type).toBe("invalid_request_error");
      expect(said.type).toBe(name === "messages" ? "error" : undefined);
    }
    expect(rig.stage.simulator.requests).toEqual([]);
  });

  it("is told apart from one without a model and one with a model that nobody has", async () => {
    await using rig = await openGatewayRig();
    expect((await rig.ask("/v1/responses", { body: { input: "x" } })).text).toContain("names no model");
    const unknown = await rig.ask("/v1/responses", { body: { model: "codng", input: "x" } });
    expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining("coding")]);
  });

  it("that is not UTF-8 is a 400, and a half character at its end too", async () => {
    await using rig = await openGatewayRig();
    for (const bytes of [[0xff, 0xfe], [0xc3], [0xed, 0xa0, 0x80]]) {
      const body = Buffer.concat([Buffer.from('{"model":"coding","input":"'), Buffer.from(bytes), Buffer.from('"}')]);
      const reply = await rig.ask("/v1/responses", { body });
      expect([reply.status, JSON.parse(reply.text)]).toEqual([
        400,
        { error: expect.objectContaining({ code: "invalid_utf8" }) },
      ]);
    }
  });

  it.each([10_000, 50_000])("nested %i levels deep harms nobody", async (depth) => {
    await using rig = await openGatewayRig();
    const { simulator } = rig.stage;
    const deep = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    // What gets as far as being sent meets nobody: how the scripted providers bear it is not the question.
    for (const { backend } of dialects) await simulator[backend].stop();
    for (const { path } of dialects) {
      for (const model of ["openai/gpt-5.5", "local/qwen3", "anthropic/claude-opus-4-8"]) {
        const reply = await rig.ask(path, {
          body: `{"model":"${model}","max_tokens":9,"x":${deep},"input":${deep},"messages":${deep}}`,
        });
        expect([400, 429, 503, 529]).toContain(reply.status);
      }
    }
    await simulator.openai.start();
    expect((await rig.ask("/v1/responses", { body: { ...hello, model: "openai/gpt-5.5" } })).status).toBe(200);
  });

  it("with a type that is clearly not JSON is a 415; without a type it is taken as it is", async () => {
    await using rig = await openGatewayRig();
    const ask = (type: string) =>
      rig.ask("/v1/responses", { body: hello, headers: { "content-type": type } }).then(({ status }) => status);
    for (const type of [
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencoded",
      "text/html",
      "image/png",
    ]) {
      expect(await ask(type)).toBe(415);
    }
    for (const type of [
      "application/json; charset=utf-8",
      "application/vnd.api+json",
      "text/plain",
      "APPLICATION/JSON",
    ]) {
      expect(await ask(type)).toBe(200);
    }
  });

  it("larger than the limit is a 413, said by its length or not, compressed or not", async () => {
    await using rig = await openGatewayRig({ gateway: { limits: { bodyBytes: 64 * 1024 } } });
    const large = JSON.stringify({ ...hello, input: "x".repeat(100_000) });
    expect((await rig.ask("/v1/responses", { body: large })).status).toBe(413);
    expect((await rig.ask("/v1/responses", { body: large, headers: { "transfer-encoding": "chunked" } })).status).toBe(
      413,
    );
    for (const [encoding, compress] of [
      ["gzip", gzipSync],
      ["zstd", zstdCompressSync],
    ] as const) {
      const body = compress(Buffer.alloc(200 * 1024 * 1024, 32));
      expect(body.length).toBeLessThan(1024 * 1024);
      const reply = await rig.ask("/v1/responses", {
        body: body.subarray(0, 64 * 1024),
        headers: { "content-encoding": encoding },
      });
      expect([400, 413]).toContain(reply.status);
    }
    const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024, 32));
    expect((await rig.ask("/v1/responses", { body: bomb, headers: { "content-encoding": "gzip" } })).status).toBe(413);
    expect((await rig.ask("/v1/responses", { body: "xx", headers: { "content-encoding": "gzip" } })).status).toBe(400);
    expect((await rig.ask("/v1/responses", { body: "xx", headers: { "content-encoding": "lzma" } })).status).toBe(415);
  });
});

describe("a connection that is up to no good", () => {
  it("a megabyte of headers is a 431", async () => {
    await using rig = await openGatewayRig();
    const line = await rig.dial();
    line.socket.write(`${head}x-long: ${"y".repeat(1024 * 1024)}\r\n\r\n`);
    await line.until(() => line.closed);
    expect(line.received).toMatch(/^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/);
  });

  it("headers that never end are let go, and so is a body that never ends", async () => {
    await using rig = await openGatewayRig({ gateway: { limits: { headersMs: 200, requestMs: 400 } } });
    const headers = await rig.dial();
    headers.socket.write("POST /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ");
    const silent = await rig.dial();
    const body = await rig.dial();
    body.socket.write(`${head}content-length: 1000\r\n\r\n{"model":`);
    await Promise.all([headers, silent, body].map((line) => line.until(() => line.closed)));
    for (const { received } of [headers, body])
      expect(received).toMatch(/^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
    expect(rig.gateway.openTurns).toBe(0);
  });

  it("what is no HTTP is a 400, and so are line breaks in a header and two lengths", async () => {
    await using rig = await openGatewayRig();
    for (const text of [
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nbad header\r\n\r\n",
      `${head}x-a: b\nc: d\r\n\u0000\r\n\r\n`,
      `${head}content-length: 3\r\ncontent-length: 4\r\n\r\n{}`,
      `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]) {
      const line = await rig.dial();
      line.socket.write(text, "latin1");
      await line.until(() => line.closed);
      expect(line.received).toMatch(/^HTTP\/1\.1 400 [^]*"code":"bad_request"/);
    }
  });

  it("what is no HTTP behind a request breaks off the answer to it, and nothing is written into that", async () => {
    await using rig = await openGatewayRig();
    rig.stage.simulator.openai.script("stall-mid-text");
    const line = await rig.dial();
    const body = JSON.stringify({ model: "openai/gpt-5.5", stream: true, input: "hello" });
    line.socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
    await line.until(() => line.received.includes("delta"));
    line.socket.write("no request at all\r\n\r\n");
    await line.until(() => line.closed);
    expect(line.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it("1,000 that do nothing keep nobody from being served, and are let go", async () => {
    await using rig = await openGatewayRig({ gateway: { limits: { headersMs: 2_000 } } });
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => rig.dial()));
    expect((await rig.ask("/v1/responses", { body: hello })).status).toBe(200);
    await Promise.all(idle.map((line) => line.until(() => line.closed)));
    expect((await rig.ask("/v1/responses", { body: hello })).status).toBe(200);
  });

  it("a label with line breaks stays one header", async () => {
    await using rig = await openGatewayRig();
    const { store } = rig.stage.workspace;
    const [ann] = await store.listCredentials("codex");
    await store.updateCredential(ann?.id ?? "", { label: "ä \u{1F3AD} nn" });
    const reply = await rig.ask("/v1/responses", { body: hello });
    expect(decodeURI(String(reply.headers["x-understudy-served-by"]))).toBe("codex/gpt-5.5/ä 🎭 nn");
  });
});

describe("a provider that is up to no good", () => {
  it.each(["huge-event", "html-200", "broken-json-200", "cut-in-head", "empty-stream", "waf-page"] as const)(
    "%s is passed over",
    async (fault) => {
      await using rig = await openGatewayRig();
      rig.stage.simulator.codex.setBehaviour("*", fault);
      const reply = await rig.ask("/v1/responses", { body: { ...hello, stream: true } });
      expect(reply.text).toContain("response.completed");
      expect(reply.headers["x-understudy-switched"]).toBe("true");
    },
  );

  it("a head that never ends is passed over when its time is up", async () => {
    await using rig = await openGatewayRig({ limits: { firstEventMs: 50 } });
    rig.stage.simulator.codex.setBehaviour("*", "no-headers");
    rig.stage.simulator.messages.setBehaviour("*", "silence");
    const reply = await rig.ask("/v1/responses", { body: { ...hello, stream: true } });
    expect(reply.headers["x-understudy-served-by"]).toBe("local/qwen3/l");
  });
});
