import type { Db } from '../../../db/pool';
import type { DestinationHealth } from '../destinations.responses';
import { readBacklog, readFailures, sumMinutes, type FailuresOfDestination } from './destination-health.queries';
import { quantileMs } from './quantile';

/** Reads how a destination does now. */
export async function readHealth(db: Db, destinationId: string): Promise<DestinationHealth> {
  const [minutes, backlog, failures] = await Promise.all([
    sumMinutes(db, destinationId),
    readBacklog(db, destinationId),
    readFailures(db, destinationId),
  ]);
  const { delivered, failed, latencyMs } = minutes;
  return {
    successRate: delivered + failed === 0 ? null : delivered / (delivered + failed),
    p50Ms: quantileMs(latencyMs, 0.5),
    p95Ms: quantileMs(latencyMs, 0.95),
    ...backlog,
    lastError: failures?.lastError ?? null,
    lastReasonCode: failures?.lastReasonCode ?? null,
    failingSince: failures?.failingSince ?? null,
    circuit: { state: circuitStateOf(failures), openUntil: failures?.openUntil ?? null },
  };
}

function circuitStateOf(failures: FailuresOfDestination | undefined): 'closed' | 'open' | 'half-open' {
  if (!failures?.openUntil) return 'closed';
  return failures.mayProbe ? 'half-open' : 'open';
}
