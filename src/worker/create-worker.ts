import type { Pool } from 'pg';
import { QUEUES, type Broker } from '../broker/broker';
import type { Settings } from '../config/settings';
import { NoInstallation, type Installation } from '../integrity/installation';
import type { Metrics } from '../observability/metrics';
import { WorkProgress } from '../observability/work-progress';
import type { WakeUp } from '../redis/wake-up';
import { MessageRouter } from './consume/message-router';
import { QueueConsumer } from './consume/queue-consumer';
import { TrustedEvents } from './consume/trusted-events';
import { WorkerLoop } from './consume/worker-loop';
import { PoisonDetector } from './crashes/poison-detector';
import { withUniqueNames, type Handler } from './handler';
import { KeyTurns } from './key-turns';
import { ExternalHandlers } from './run/external-handlers';
import { BatchSettler } from './settle/batch-settler';
import { OwnStatements } from './settle/own-statements';
import type { DeliveryTaker } from './settle/pass-deliveries';

/** Retries have their own queue and a small prefetch, so that a burst of retries cannot delay fresh events. */
const RETRY_PREFETCH = 50;

export interface WorkerParts {
  settings: Settings;
  pool: Pool;
  broker: Broker;
  metrics: Metrics;
  handlers: readonly Handler[];
  deliveries: DeliveryTaker;
  progress?: WorkProgress;
  /** Default: none, so nothing has to be confirmed. */
  installation?: Installation;
  /** Default: none, so publishers poll for the events whose turn it is. */
  wakeUp?: WakeUp;
}

/** Wires a worker. The consumers of both queues share the processing steps. */
export function createWorker(parts: WorkerParts): WorkerLoop {
  const { settings, pool, broker, metrics, handlers, deliveries, progress = new WorkProgress() } = parts;
  const { installation = new NoInstallation() } = parts;
  const named = withUniqueNames(handlers);
  const poison = new PoisonDetector(pool);
  const externals = new ExternalHandlers(settings, named, poison);
  const turns = new KeyTurns(pool, named);
  const router = new MessageRouter(pool, externals, turns);
  const settler = new BatchSettler(settings, pool, named, metrics, deliveries, parts.wakeUp);
  const trusted = new TrustedEvents(pool, metrics, installation);
  const own = new OwnStatements(settings, pool, named, deliveries);
  const steps = { trusted, router, externals, poison, settler, own, metrics, progress };
  const { RABBITMQ_PREFETCH: prefetch, WORKER_BATCH_SIZE: batchSize } = settings;
  // An external call may take long. In a bundle, it would hold the places of 50 events.
  const takesBundles = named.every(({ kind }) => kind !== 'external');
  const retries = { prefetch: RETRY_PREFETCH, batchSize: RETRY_PREFETCH, takesBundles };
  const queues = [
    new QueueConsumer(broker, QUEUES.main, { prefetch, batchSize, takesBundles }, steps),
    new QueueConsumer(broker, QUEUES.retry, retries, steps),
  ];
  return new WorkerLoop(queues, externals, deliveries, turns);
}
