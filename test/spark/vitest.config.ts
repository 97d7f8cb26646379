import { defineConfig } from "vitest/config";

/** Spark takes minutes to fetch and half a minute a session: `npm run test:spark`, apart from `npm test`. */
export default defineConfig({
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/spark/*.spark.ts"],
    globalSetup: ["test/live/harness/global-setup.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
  },
});
