import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { allowanceHeaders } from '../../access/limits/allowance';
import { TenantLimiter } from '../../access/limits/tenant-limiter';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { tooLarge, type RequestContext } from '../../event/prepare-event';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { isKeptCode } from '../../rejections/kept-codes';
import type { RejectionEndpoint } from '../../rejections/rejection';
import { BufferBudget } from '../../runtime/buffer-budget';
import { Decoders } from '../decoding/decoders';
import { readEventBody } from '../event-body';
import { contextOfRefused } from '../ingest-context';
import { BrokenBody } from './broken-body';
import { OversizedBody, type MeasuredBody } from './oversized-body';
import { RejectedEvent } from './rejected-event';

/**
 * Keeps what is refused before it is read as an event. The tenant is charged for it as for an event. What its limits do
 * not allow is not kept.
 */
@Injectable()
export class RefusedRequest {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly limiter: TenantLimiter,
    private readonly metrics: Metrics,
    private readonly rejected: RejectedEvent,
    private readonly decoders: Decoders,
    private readonly buffers: BufferBudget,
  ) {}

  /**
   * Returns the problem of an event that is too large. Keeps its beginning, its size and its digest.
   * @throws Problem `expansion-too-large`
   */
  async oversized(
    body: OversizedBody,
    request: FastifyRequest,
    reply: FastifyReply,
    context: RequestContext,
  ): Promise<Problem> {
    this.metrics.ingestTotal.inc({ source: 'single', status: 'rejected' });
    const measured = await this.measure(body, context.tenantId).finally(() => body.release());
    reply.headers(allowanceHeaders(this.limiter.allowance(context.tenantId)));
    return this.rejected.problem(tooLarge(this.settings.MAX_EVENT_BYTES).rejection, request, measured, context);
  }

  /** Returns the problem of an event whose body broke off, or of the limit if its tenant may not send that much. */
  async broken({ problem, decodedBytes }: BrokenBody, reply: FastifyReply, context: RequestContext): Promise<Problem> {
    const { tenantId } = context;
    const reservation = await this.limiter.reserveSingle(tenantId, decodedBytes);
    const isOurs = problem.status >= 500;
    if (isOurs && reservation.points > 0) this.limiter.giveBack(reservation, 1);
    reply.headers(allowanceHeaders(this.limiter.allowance(tenantId)));
    return reservation.points === 0 ? this.limiter.problem(tenantId, reservation.measure) : problem;
  }

  /**
   * Returns the problem of a request that is refused whatever its body holds. Keeps a body of at most MAX_EVENT_BYTES. A
   * stream is not read for this.
   */
  async problem(problem: Problem, request: FastifyRequest, endpoint: RejectionEndpoint): Promise<Problem> {
    if (!isKeptCode(problem.code)) return problem;
    const context = contextOfRefused(request);
    const bytes = await this.bytesOf(request, context.tenantId);
    const rejection = { code: problem.code, message: problem.detail, errors: [] };
    const isKept = await this.rejected.keep(rejection, request, bytes && { bytes }, context, endpoint);
    return isKept ? problem : problem.with({ kept: false });
  }

  private async measure(body: OversizedBody, tenantId: string): Promise<MeasuredBody | undefined> {
    const { MAX_EVENT_BYTES } = this.settings;
    const { points } = await this.limiter.reserveSingle(tenantId, MAX_EVENT_BYTES);
    if (points === 0) return undefined;
    const hold = this.buffers.open(tenantId);
    if (!hold.grow(MAX_EVENT_BYTES)) return undefined;
    try {
      return await body.measure(MAX_EVENT_BYTES, (bytes) => this.limiter.chargeBytes(tenantId, bytes));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.metrics.bodiesRefused.inc({ reason: 'expansion' });
      throw error.with({ kept: false });
    } finally {
      hold.release();
    }
  }

  private async bytesOf(request: FastifyRequest, tenantId: string): Promise<Buffer | undefined> {
    const unread = await readEventBody(request, this.settings, this.decoders);
    if (unread instanceof BrokenBody) throw unread.problem;
    if (unread instanceof OversizedBody) unread.release();
    else if (unread && unread.body !== request.body) unread.body.destroy(); // releases the memory of its decoder
    if (unread) return undefined;
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { points } = await this.limiter.reserveSingle(tenantId, bytes.length);
    return points === 0 ? undefined : bytes;
  }
}
