/** The run itself failed, not StreamForge, so it has no result. */
export class Inconclusive extends Error {
  override readonly name = 'Inconclusive';
}

/** Runs `work`, which uses a server of the run. @throws Inconclusive if it fails */
export async function ofTheRun<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Inconclusive(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
