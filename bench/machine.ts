import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BenchServer } from '#bench/databases';

/** On what a run was measured, as one line. Call it before the run: it names the load that others cause. */
export async function describeMachine(postgres: BenchServer): Promise<string> {
  const load = loadavg()[0]?.toFixed(1);
  return (
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores with everything on them, ` +
    `Node ${process.version}, PostgreSQL ${await postgres.version()}, load average before ${load}`
  );
}
