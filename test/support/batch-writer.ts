import type { Pool } from 'pg';
import { BatchWriter } from '../../src/ingest/store/batch-writer';
import { KnownEvents } from '../../src/ingest/store/known-events';
import { Metrics } from '../../src/observability/metrics';
import { MemoryCache } from '../../src/redis/memory-cache';

/** A batch writer whose cache forgets everything at once. */
export const writerTo = (pool: Pool, metrics = new Metrics()): BatchWriter =>
  new BatchWriter(pool, new KnownEvents(new MemoryCache(0), metrics), metrics);
