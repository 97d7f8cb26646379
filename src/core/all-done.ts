/** What all of the work gives, as `Promise.all` has it; but a fault is told only once all of it has ended, so that none goes on while someone cleans up. */
export async function allDone<T extends readonly unknown[]>(work: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
