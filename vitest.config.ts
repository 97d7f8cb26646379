import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/property-seed.ts"],
    globalSetup: ["test/live/harness/global-setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Generous: a machine under load is slow, not wrong.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // A machine that stood still is no wrong answer: what ran out of time runs once more, and `npm test` names it. A wrong answer never gets a second chance.
    retry: { count: 1, condition: /timed out|ETIMEDOUT/ },
  },
});
