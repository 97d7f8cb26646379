export { foldNote } from "./fold-note.ts";
export { foldWindow } from "./fold-window.ts";
export type { IncidentState, IncidentStep } from "./incident-state.ts";
export { emptyIncidentState, readIncidentState, stopKey } from "./incident-state.ts";
export { tellDownstream, tellSteps } from "./incident-words.ts";
export { concerns, isTold } from "./notice-route.ts";
