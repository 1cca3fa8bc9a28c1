import type { Pool } from 'pg';
import { QUEUES, type Broker, type OutgoingMessage, type QueueName } from '../../src/broker/broker';
import { HISTORY } from '../../src/db/history/history.queries';
import { NoInstallation, type Installation } from '../../src/integrity/installation';
import { Metrics } from '../../src/observability/metrics';
import { createWorker } from '../../src/worker/create-worker';
import type { Handler } from '../../src/worker/handler';
import { testSettings } from './app';
import { NO_DELIVERIES } from './deliveries';

export interface TestWorker {
  metrics: Metrics;
  /** Stops the worker as SIGTERM does. */
  stop(): Promise<void>;
}

/** Starts the worker role in this process, with the handlers of a test. */
export function startWorker(
  pool: Pool,
  broker: Broker,
  handlers: readonly Handler[],
  env: Record<string, string> = {},
  installation: Installation = new NoInstallation(),
): TestWorker {
  const metrics = new Metrics();
  const worker = createWorker({
    settings: testSettings(env),
    pool,
    broker,
    metrics,
    handlers,
    deliveries: NO_DELIVERIES,
    installation,
  });
  worker.onApplicationBootstrap();
  return { metrics, stop: () => worker.beforeApplicationShutdown() };
}

interface PendingRow {
  outboxId: string;
  destination: keyof typeof QUEUES;
  eventId: string;
  tenantId: string;
  type: string;
  receivedAt: string;
  sizeBytes: number;
  correlationId: string;
  dispatchNo: number;
  generation: number;
  revision: number | null;
  history: string;
}

/** Marks all open outbox entries as PUBLISHED and returns the messages that the publisher would send for them. */
export async function takePending(pool: Pool): Promise<OutgoingMessage[]> {
  const { rows } = await pool.query<PendingRow>(
    `with taken as (
       update outbox set status = 'PUBLISHED', closed_at = now() where closed_at is null
       returning id, event_id, destination, dispatch_no, generation, revision)
     select t.id as "outboxId", t.destination, t.event_id as "eventId", t.dispatch_no as "dispatchNo", t.generation,
            t.revision,
            e.tenant_id as "tenantId", e.type, e.received_at as "receivedAt", e.size_bytes as "sizeBytes",
            e.correlation_id as "correlationId", ${HISTORY} as history
       from taken t join events e on e.id = t.event_id order by t.id`,
  );
  return rows.map((row) => ({
    queue: QUEUES[row.destination] satisfies QueueName,
    id: row.eventId,
    headers: {
      'tenant-id': row.tenantId,
      'event-type': row.type,
      'received-at': row.receivedAt,
      'size-bytes': row.sizeBytes,
      'correlation-id': row.correlationId,
      'dispatch-no': row.dispatchNo,
      generation: row.generation,
      ...(row.revision === null ? {} : { revision: row.revision }),
      history: row.history,
    },
    body: Buffer.from(JSON.stringify({ id: row.eventId })),
  }));
}

/** Publishes all open outbox entries and returns their number. */
export async function publishPending(pool: Pool, broker: Broker): Promise<number> {
  const messages = await takePending(pool);
  await broker.publish(messages, 5_000);
  return messages.length;
}
