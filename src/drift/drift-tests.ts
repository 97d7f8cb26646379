import type { DriftTest } from "./drift-test.ts";
import { jensenShannon } from "./jensen-shannon.ts";
import { nullShare } from "./null-share.ts";
import { psi } from "./psi.ts";

/** Every drift test that a contract can name. */
export const driftTests: readonly DriftTest[] = [psi, jensenShannon, nullShare];
