import { playQuietRun, quietStreams } from "./quiet-run.ts";

/** Plays the runs that it is told of, one by one: `{ stream, seed }`, the stream by its place in the list. */
const streams = await quietStreams();
process.on("message", ({ stream, seed }: { stream: number; seed: number }) => {
  const wanted = streams[stream];
  if (wanted === undefined) throw new RangeError(`there is no stream ${stream}`);
  process.send?.(playQuietRun(wanted, seed));
});
process.send?.(streams.map(({ name, columns, rows, isExchangeable }) => ({ name, columns, rows, isExchangeable })));
