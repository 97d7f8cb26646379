export { emptyProfile, profileBatch } from "./profiler.ts";
export { mergeProfiles } from "./merge-profiles.ts";
export { summarizeProfile } from "./summarize-profile.ts";
export { decodeProfile, encodeProfile } from "./profile-format.ts";
