import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BenchServer } from '#bench/databases';

/** Describes the machine of a run in one line, including its load. Call it before the run, which adds load of its own. */
export async function describeMachine(postgres: BenchServer): Promise<string> {
  const load = loadavg()[0]?.toFixed(1);
  return (
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores with everything on them, ` +
    `Node ${process.version}, PostgreSQL ${await postgres.version()}, load average before ${load}`
  );
}
