import type { DriftTest } from "./drift-test.ts";
import { jensenShannon } from "./measures/jensen-shannon.ts";
import { nullShare } from "./measures/null-share.ts";
import { psi } from "./measures/psi.ts";

/** Every drift test that a contract can name. */
export const driftTests: readonly DriftTest[] = [psi, jensenShannon, nullShare];
