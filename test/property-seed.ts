import fc from "fast-check";

/**
 * Property tests draw the same cases each time, so that a change fails by itself and not by the day's luck; `npm run test:explore` draws others. fast-check prints the
 * seed of what fails: `SLUICE_SEED=N npm test -- FILE` draws it again.
 */
const seed = process.env["SLUICE_SEED"] ?? "20261122";
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
