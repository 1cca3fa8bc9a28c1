import { ApiProperty } from '@nestjs/swagger';
import { ApiCount, ApiEnum, ApiInstant, ApiList, ApiObject, ApiText } from '../../http/docs/api-fields';
import { DIMENSIONS, MEASURES, type MetricDimension, type MetricMeasure } from '../../metric-rollup/measures';
import type { MetricPoint } from './metric-series';

const POINTS = {
  type: 'array' as const,
  items: {
    type: 'array' as const,
    items: {
      oneOf: [
        { type: 'string' as const, format: 'date-time' },
        { type: 'integer' as const, minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      ],
    },
    minItems: 2,
    maxItems: 2,
  },
  required: true,
  description:
    'Start of each step, and the value in it. A step in which nothing was counted has 0, and no point of `latency`',
  example: [['2026-11-24T04:08:00.000Z', 4]],
};

class MetricOther {
  @ApiCount(4, { nullable: true, description: 'Over the whole range. Null for the latency of nothing' })
  total!: number | null;
  @ApiProperty(POINTS) points!: MetricPoint[];
}

class MetricSeriesOfKey extends MetricOther {
  @ApiText('demo', {
    nullable: true,
    description:
      'The tenant, the id of the source or destination, the type, or the code; null for what has none, such as events that came through no source',
  })
  key!: string | null;
}

export class MetricsResponse {
  @ApiEnum('MetricMeasure', MEASURES) measure!: MetricMeasure;
  @ApiEnum('MetricDimension', DIMENSIONS) dimension!: MetricDimension;
  @ApiInstant() from!: string;
  @ApiInstant() to!: string;
  @ApiCount(60) stepSeconds!: number;
  @ApiInstant({
    description: 'Everything before this time is counted. The step that contains this time is incomplete.',
  })
  through!: string;
  @ApiList(MetricSeriesOfKey, { description: 'The keys with the largest counts' }) series!: MetricSeriesOfKey[];
  @ApiObject(MetricOther, { description: 'All other keys together' }) other!: MetricOther;
}
