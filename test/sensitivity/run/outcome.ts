import type { Breach } from '../../verify/oracle/violation';
import type { Task } from './task';

/** Of a fault: noticed, unnoticed or inconclusive. Of a check of the unchanged tree: passed, failed or inconclusive. */
export type Result = 'noticed' | 'unnoticed' | 'passed' | 'failed' | 'inconclusive';

export interface Outcome {
  name: string;
  result: Result;
  /** Violations with their numbers, or tests that failed; why the task was inconclusive. */
  by: string[];
  seconds: number;
  tries: number;
  /** The end of what the task printed, unless the result is as it should be. */
  output?: string;
}

/** What one try of a task found, and what it printed. */
export type Findings = ({ failedTests: readonly string[] } | { broken: ReadonlyMap<Breach, number> }) & {
  output: string;
};

const KEPT_OUTPUT = 20_000;

export function judge({ fault, proof }: Task, findings: Findings): Pick<Outcome, 'result' | 'by'> {
  if ('failedTests' in findings) {
    const { failedTests } = findings;
    const failed = failedTests.length > 0;
    return { result: fault ? noticedIf(failed) : passedIf(!failed), by: [...failedTests] };
  }
  const { broken } = findings;
  const by =
    broken.size > 0 ? [`verify: ${[...broken].map(([breach, count]) => `${breach} ${count}`).join(', ')}`] : [];
  if (!fault) return { result: passedIf(broken.size === 0), by };
  const listed = 'tests' in proof ? [] : proof.breaches;
  return { result: noticedIf(listed.some((breach) => broken.has(breach))), by };
}

const noticedIf = (noticed: boolean): Result => (noticed ? 'noticed' : 'unnoticed');
const passedIf = (passed: boolean): Result => (passed ? 'passed' : 'failed');

/**
 * Tries the task, and once more if the first try was inconclusive: if a server did not start, for example.
 * @param attempt throws if it says nothing about the fault
 */
export async function outcomeOf(task: Task, attempt: () => Promise<Findings>, signal: AbortSignal): Promise<Outcome> {
  const startedMs = Date.now();
  const outcome = (tries: number, found: Pick<Outcome, 'result' | 'by'>): Outcome => {
    return { name: task.name, ...found, seconds: Math.round((Date.now() - startedMs) / 1000), tries };
  };
  let reason = '';
  for (const tries of [1, 2]) {
    try {
      const findings = await attempt();
      const judged = judge(task, findings);
      const isGood = judged.result === 'noticed' || judged.result === 'passed';
      return { ...outcome(tries, judged), ...(!isGood && { output: findings.output.slice(-KEPT_OUTPUT) }) };
    } catch (error) {
      signal.throwIfAborted();
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  return outcome(2, { result: 'inconclusive', by: [reason] });
}
