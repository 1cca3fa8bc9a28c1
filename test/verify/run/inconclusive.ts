/** Something of the run itself failed, not StreamForge: there is no verdict. */
export class Inconclusive extends Error {
  override readonly name = 'Inconclusive';
}

/** @throws Inconclusive when a server of the run does not do as it should. */
export async function ofTheRun<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Inconclusive(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
