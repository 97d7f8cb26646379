/** What all of the work gives, as `Promise.all` has it; but a fault is told only once all of it has ended, so that none goes on while someone cleans up. */
export async function allDone<const P extends readonly Promise<unknown>[]>(work: P): Promise<{ -readonly [K in keyof P]: Awaited<P[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
