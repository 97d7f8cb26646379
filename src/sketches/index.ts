export { hllImage, kllImage } from "./datasketches.ts";
export { compileProfiler } from "./compile-profiler.ts";
export { emptyProfile, profileBatch, profileColumns, referenceProfiler } from "./profiler.ts";
export type { WindowProfiler } from "./window-profiler.ts";
export type { WatchTools } from "./watched/column-watch.ts";
export { mergeProfiles } from "./merge-profiles.ts";
export { summarizeProfile } from "./summarize-profile.ts";
export { decodeProfile, encodeProfile } from "./profile-format.ts";
