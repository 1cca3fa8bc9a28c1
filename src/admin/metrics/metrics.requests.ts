import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { ApiCount, ApiInstant, ApiText } from '../../http/docs/api-fields';
import { DIMENSIONS, MEASURES, type MetricDimension, type MetricMeasure } from '../../metric-rollup/measures';
import { SLICE_SECONDS } from '../../metric-rollup/steps';
import { IsListLimit, wholeNumberOf } from '../endpoint/paging';
import { IsInstant, IsNotAfter, MayBeLeftOut, OneTenant } from '../endpoint/rules';

const MOST_SERIES = 50;
const USUAL_SERIES = 20;
const LONGEST_STEP_SECONDS = 86_400;
const QUANTILES = ['0.5', '0.95', '0.99'] as const;

export class MetricsQuery {
  @ApiProperty({
    enum: [...MEASURES],
    example: 'accepted',
    required: true,
    description:
      '`accepted`: events, once at intake. `completed`: events, when they first become COMPLETED. `rejected`: records that were kept as rejections. `delivered`, `failed`: deliveries. `latency`: milliseconds from acceptance to COMPLETED, by destination to the arrival of a delivery',
  })
  @IsIn(MEASURES)
  measure!: MetricMeasure;

  @ApiProperty({
    enum: [...DIMENSIONS],
    example: 'type',
    required: true,
    description:
      'What a series is of. `accepted` and `completed` have tenant, source and type; `rejected` has code as well; `delivered` has tenant, destination and type; `failed` has code as well; `latency` has tenant, source, destination and type',
  })
  @IsIn(DIMENSIONS)
  dimension!: MetricDimension;

  @ApiInstant({ description: 'Start of the range, at most 92 days ago. It is moved back to the start of a step' })
  @IsInstant()
  @IsNotAfter('to')
  from!: string;

  @ApiInstant({ description: 'End of the range, at most a day from now. It is moved forward to the end of a step' })
  @IsInstant()
  to!: string;

  @IsStep()
  stepSeconds?: number;

  @OneTenant('Only what belongs to this tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of series. The rest is summed in `other`; with 0, that is everything', {
    least: 0,
    most: MOST_SERIES,
    usual: USUAL_SERIES,
  })
  limit = USUAL_SERIES;

  @ApiText('0.95', {
    required: false,
    description: `Quantile of \`latency\`: ${QUANTILES.join(', ')}. Default: 0.95. Other measures ignore it`,
  })
  @MayBeLeftOut()
  @IsIn(QUANTILES)
  quantile?: (typeof QUANTILES)[number];
}

/** In reverse order, as IsListLimit. */
function IsStep(): PropertyDecorator {
  return applyDecorators(
    Max(LONGEST_STEP_SECONDS),
    Min(SLICE_SECONDS),
    IsInt(),
    Transform(({ value }: { value: unknown }) => wholeNumberOf(value)),
    MayBeLeftOut(),
    ApiCount(60, {
      required: false,
      minimum: SLICE_SECONDS,
      maximum: LONGEST_STEP_SECONDS,
      description:
        'Length of a step. It becomes a multiple of what is kept: 10 s for two hours, a minute for two days, an hour for 90 days. Default: the shortest of usual steps that makes at most 360 points',
    }),
  );
}
