/** The program of a process that runs SQL rules, one window after another; `QueryProcess` starts it. */
import type { Told } from "./query-process.ts";
import type { WindowQueries } from "./window-queries.ts";
import { runWindowQueries } from "./window-queries.ts";

const tell = (told: Told): void => void process.send?.(told);

process.on("message", (window: WindowQueries) => {
  const queries = runWindowQueries(window, {
    began: () => tell({ kind: "began" }),
    answered: (answer) => tell({ kind: "answered", answer }),
  });
  queries.then(
    () => tell({ kind: "done" }),
    (fault: unknown) => tell({ kind: "failed", message: fault instanceof Error ? fault.message : String(fault) }),
  );
});
// Whoever started it is gone, however that happened; a query in the middle hears of nothing else.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
tell({ kind: "ready" });
