import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Measure } from '../../access/limits/meter';
import { TenantLimiter } from '../../access/limits/tenant-limiter';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { BufferBudget, type BufferHold } from '../../runtime/buffer-budget';
import { shutdownPhases } from '../../runtime/shutdown-phases';
import { LimitQueue } from './limit-queue';
import { PacedStream, type StreamOwner } from './paced-stream';

const TOO_MANY_RETRY_AFTER_SECONDS = 5;
/** What a stream holds at most, in events of the largest size: an unfinished record, and chunks that are on their way. */
const EVENTS_HELD = 2;

/** The streams of one tenant in this process. */
interface TenantStreams {
  open: number;
  queues: Readonly<Record<Measure, LimitQueue>>;
}

/**
 * Admits streams, at most MAX_STREAMS at a time in this process and MAX_STREAMS_PER_TENANT of one tenant, and paces them
 * to their tenant's limits.
 */
@Injectable()
export class StreamPacer implements BeforeApplicationShutdown {
  /** Only tenants with open streams. */
  private readonly tenants = new Map<string, TenantStreams>();
  private readonly open = new Set<PacedStream>();
  private stopping = false;
  private isLate = false;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly limiter: TenantLimiter,
    private readonly metrics: Metrics,
    private readonly buffers: BufferBudget,
  ) {}

  /** The caller must close the stream. @throws Problem `too-many-streams`, `overloaded` */
  admit(owner: StreamOwner): PacedStream {
    const streams = this.tenants.get(owner.tenantId) ?? this.noStreams(owner.tenantId);
    const max = this.settings.MAX_STREAMS_PER_TENANT;
    if (streams.open >= max) {
      this.metrics.bodiesRefused.inc({ reason: 'streams-of-tenant' });
      throw new Problem('too-many-streams', `A tenant may send at most ${max} streams at a time.`, {
        retryAfterSeconds: TOO_MANY_RETRY_AFTER_SECONDS,
      });
    }
    const hold = this.holdFor(owner.tenantId);
    this.tenants.set(owner.tenantId, streams);
    streams.open += 1;
    const stream: PacedStream = new PacedStream(owner, {
      limiter: this.limiter,
      metrics: this.metrics,
      queues: streams.queues,
      maxWaitMs: this.settings.STREAM_PACE_MAX_SECONDS * 1_000,
      onClose: () => {
        hold.release();
        this.closed(stream, streams);
      },
    });
    this.open.add(stream);
    this.metrics.streamsOpen.inc();
    if (this.stopping) this.stop(stream);
    if (this.isLate) stream.breakOff(leaving());
    return stream;
  }

  /**
   * I15: a stream that waits would keep the process running, and so would one whose upload goes on for ever. They end
   * with their summary and can be sent again.
   */
  beforeApplicationShutdown(): void {
    this.stopping = true;
    for (const stream of this.open) this.stop(stream);
    setTimeout(() => this.breakOff(), shutdownPhases(this.settings).finishMs).unref();
  }

  private breakOff(): void {
    this.isLate = true;
    for (const stream of this.open) stream.breakOff(leaving());
  }

  /** Takes a place among the streams of this process, and memory for what the stages of a stream hold. */
  private holdFor(tenantId: string): BufferHold {
    if (this.open.size >= this.settings.MAX_STREAMS) {
      this.metrics.bodiesRefused.inc({ reason: 'streams' });
      throw tooManyForProcess();
    }
    const hold = this.buffers.open(tenantId);
    if (!hold.grow(EVENTS_HELD * this.settings.MAX_EVENT_BYTES)) throw tooManyForProcess();
    return hold;
  }

  private noStreams(tenantId: string): TenantStreams {
    const { events, bytes } = this.limiter;
    return { open: 0, queues: { events: new LimitQueue(tenantId, events), bytes: new LimitQueue(tenantId, bytes) } };
  }

  private closed(stream: PacedStream, streams: TenantStreams): void {
    this.open.delete(stream);
    this.metrics.streamsOpen.dec();
    streams.open -= 1;
    if (streams.open === 0) this.tenants.delete(stream.tenantId);
  }

  private stop(stream: PacedStream): void {
    const why = ' This process is shutting down and cannot wait for the limit.';
    stream.stopWaiting((measure) => this.limiter.problem(stream.tenantId, measure, why));
  }
}

function leaving(): Problem {
  return new Problem('overloaded', 'This process is shutting down and cannot wait for the rest of the stream.', {
    retryAfterSeconds: TOO_MANY_RETRY_AFTER_SECONDS,
  });
}

function tooManyForProcess(): Problem {
  return new Problem('overloaded', 'This process receives as many streams as it can. Send the stream again later.', {
    retryAfterSeconds: TOO_MANY_RETRY_AFTER_SECONDS,
  });
}
