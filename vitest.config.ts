import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    globalSetup: ["test/bundled-cli.ts"],
    reporters: ["default", "./scripts/closing-line.ts"],
    // Many tests run real processes and servers. On a busy machine one of them may be late; twice is a fault.
    retry: process.env["CI"] === undefined ? 0 : 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    // No test changes what another one imports, so workers are used again: half the time.
    isolate: false,
    // Many tests wait for processes and servers, so one more than the cores of a small machine keeps these busy.
    maxWorkers: 3,
  },
});
