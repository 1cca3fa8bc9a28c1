import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { Problem } from '../../event/problems';
import { timeOfDayMs } from '../../event/time-of-day';
import { dimensionsOf } from '../../metric-rollup/measures';
import {
  DAY_SECONDS,
  inSteps,
  instantOf,
  KEPT_SECONDS,
  LATEST_TO_SECONDS,
  MOST_POINTS,
  OLDEST_FROM_SECONDS,
  type SteppedRange,
} from '../../metric-rollup/steps';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { MetricReader } from './metric-reader';
import { MetricsQuery } from './metrics.requests';
import { MetricsResponse } from './metrics.responses';

@AdminEndpoint()
@Controller('v1/admin/metrics')
export class MetricSeriesController {
  constructor(private readonly reader: MetricReader) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'getMetricSeries',
    summary: 'Show how a measure has developed, as time series by tenant, source, destination, type or code.',
    description:
      'Everything that was committed before `through` is counted, once. What is committed later, but belongs before it, is added for 15 minutes. Of each step, the 100 largest keys have counts of their own; smaller ones are only in `other`. Latencies are within 10 %. An operator who is bound to tenants sees only those tenants.',
  })
  @ApiOkResponse({ type: MetricsResponse })
  async read(@Query() query: MetricsQuery, @Acting() acting: ActingOperator): Promise<MetricsResponse> {
    const { measure, dimension, limit } = query;
    refuseOtherDimension(query);
    const range = rangeOf(query);
    const criteria = { ...scopeOf(acting, query.tenantId), ...range, measure, dimension, limit };
    const { series, other, throughMs } = await this.reader.read(criteria, Number(query.quantile ?? '0.95'));
    return {
      measure,
      dimension,
      from: instantOf(range.fromMs / 1_000),
      to: instantOf(range.toMs / 1_000),
      stepSeconds: range.stepSeconds,
      through: instantOf(throughMs / 1_000),
      series,
      other,
    };
  }
}

/** @throws Problem `invalid-request` */
function refuseOtherDimension({ measure, dimension }: MetricsQuery): void {
  const dimensions = dimensionsOf(measure);
  if (dimensions.includes(dimension)) return;
  refuse('/dimension', `dimension of ${measure} must be one of: ${dimensions.join(', ')}`);
}

/** @throws Problem `invalid-request` for a range of what is not kept, or of the future, or with too many steps */
function rangeOf({ from, to, stepSeconds }: MetricsQuery): SteppedRange {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const nowMs = timeOfDayMs();
  if (fromMs < nowMs - OLDEST_FROM_SECONDS * 1_000) {
    const [most, kept] = [OLDEST_FROM_SECONDS, KEPT_SECONDS].map((seconds) => seconds / DAY_SECONDS);
    refuse('/from', `from must be at most ${most} days ago: counts are kept for ${kept} days`);
  }
  if (toMs > nowMs + LATEST_TO_SECONDS * 1_000) refuse('/to', 'to must be at most a day from now');
  const range = inSteps({ fromMs, toMs }, stepSeconds, nowMs);
  if ('stepSeconds' in range) return range;
  return refuse(
    '/stepSeconds',
    `stepSeconds must be at least ${range.needed} for this range: there are at most ${MOST_POINTS} steps`,
  );
}

function refuse(pointer: string, message: string): never {
  throw new Problem('invalid-request', 'A parameter does not fit the others.', {
    errors: [{ pointer, code: 'invalid-request', message }],
  });
}
