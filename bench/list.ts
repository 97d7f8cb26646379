import type { Bench } from "./bench.ts";
import { gate } from "./gate.ts";

/** Every bench that `npm run bench` runs. */
export const benches: readonly Bench[] = [gate];
