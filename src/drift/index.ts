export { driftTests } from "./drift-tests.ts";
export type { BaselineWindow, CommittedDrift, DriftState, OpenTick } from "./drift-state.ts";
export { emptyDriftState, foldDrift, pinBaseline } from "./drift-state.ts";
export { judgeDrift } from "./judge-drift.ts";
