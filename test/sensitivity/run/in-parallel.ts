/** Gives each worker one task after the other. If one throws, the others take no further task, and the error is thrown. */
export async function inParallel<T>(
  tasks: readonly T[],
  workers: readonly ((task: T) => Promise<void>)[],
): Promise<void> {
  const waiting = [...tasks];
  const settled = await Promise.allSettled(
    workers.map(async (work) => {
      try {
        for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await work(task);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }),
  );
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
