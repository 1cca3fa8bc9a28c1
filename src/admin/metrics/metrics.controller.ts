import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { Problem } from '../../event/problems';
import { timeOfDayMs } from '../../event/time-of-day';
import { dimensionsOf } from '../../metric-rollup/measures';
import { inSteps, MOST_POINTS, MOST_RANGE_SECONDS, type SteppedRange } from '../../metric-rollup/steps';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { readMetric } from './metrics';
import { MetricsQuery } from './metrics.requests';
import { MetricsResponse } from './metrics.responses';

@AdminEndpoint()
@Controller('v1/admin/metrics')
export class MetricSeriesController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'getMetricSeries',
    summary: 'Show how a measure has developed, as time series by tenant, source, destination, type or code.',
    description:
      'Counts are exact, up to the last second, and late commits are added for 15 minutes. Of each step, the 100 largest keys and tenants have counts of their own; smaller ones are only in `other`. Latencies are within 10 %. What operators of some tenants see is of these tenants.',
  })
  @ApiOkResponse({ type: MetricsResponse })
  async read(@Query() query: MetricsQuery, @Acting() acting: ActingOperator): Promise<MetricsResponse> {
    const { measure, dimension, limit } = query;
    refuseOtherDimension(query);
    const range = rangeOf(query);
    const criteria = { ...scopeOf(acting, query.tenantId), ...range, measure, dimension, limit };
    const { series, other, throughMs } = await readMetric(this.pool, criteria, Number(query.quantile ?? '0.95'));
    return {
      measure,
      dimension,
      from: instantOf(range.fromMs),
      to: instantOf(range.toMs),
      stepSeconds: range.stepSeconds,
      through: instantOf(throughMs),
      series,
      other,
    };
  }
}

const instantOf = (ms: number): string => new Date(ms).toISOString();

/** @throws Problem `invalid-request` */
function refuseOtherDimension({ measure, dimension }: MetricsQuery): void {
  const dimensions = dimensionsOf(measure);
  if (dimensions.includes(dimension)) return;
  refuse('/dimension', `dimension of ${measure} must be one of: ${dimensions.join(', ')}`);
}

/** @throws Problem `invalid-request` for a range that is too long, or has too many steps */
function rangeOf({ from, to, stepSeconds }: MetricsQuery): SteppedRange {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  if (toMs - fromMs > MOST_RANGE_SECONDS * 1_000) {
    refuse('/from', `from must be at most ${MOST_RANGE_SECONDS / 86_400} days before to`);
  }
  const range = inSteps({ fromMs, toMs }, stepSeconds, timeOfDayMs());
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
