import { eventually } from '../../support/eventually';

/** The run itself failed, not StreamForge, so it has no result. */
export class Inconclusive extends Error {
  override readonly name = 'Inconclusive';
}

/** Servers time out on an overloaded machine. */
const REPEATS_FOR_MS = 60_000;

/** Like ofTheRun, for work that only reads: it is repeated for a minute. @throws Inconclusive */
export function readOfTheRun<T>(what: string, work: () => Promise<T>): Promise<T> {
  return ofTheRun(what, () => eventually(work, REPEATS_FOR_MS));
}

/** Runs `work`, which uses a server of the run. @throws Inconclusive if it fails */
export async function ofTheRun<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Inconclusive(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
