import { applyDecorators } from '@nestjs/common';
import { IsIn, ValidateBy } from 'class-validator';
import { ApiEnum, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { MayBeLeftOut, OneTenant } from '../endpoint/rules';
import { MOST_ROWS } from './usage.queries';
import { firstMsOf, lastMsOf } from './usage-days';

/** Characters of the longest cursor: a day, a tenant id and a type of 255 characters, each of up to 6 bytes as JSON. */
const LONGEST_CURSOR = 2_400;

const USAGE_FORMATS = ['json', 'csv'] as const;
export type UsageFormat = (typeof USAGE_FORMATS)[number];

export class UsageQuery {
  @OneTenant('Only usage of this tenant')
  tenantId?: string;

  @ApiText(undefined, {
    required: false,
    description: 'First UTC day, as YYYY-MM-DD; or an RFC 3339 date-time, which selects the whole UTC day it falls in',
  })
  @MayBeLeftOut()
  @IsStart()
  from?: string;

  @ApiText(undefined, {
    required: false,
    description: 'Last UTC day, as YYYY-MM-DD; or an RFC 3339 date-time, before which the last day begins',
  })
  @MayBeLeftOut()
  @IsDayOrInstant()
  to?: string;

  @IsListLimit('Maximum number of items in the response', { most: MOST_ROWS, usual: MOST_ROWS })
  limit = MOST_ROWS;

  @IsCursor(LONGEST_CURSOR)
  cursor?: string;

  @ApiEnum('UsageFormat', USAGE_FORMATS, {
    required: false,
    description: 'Default: what `Accept` asks for, or `json`. `csv` has all rows; `limit` and `cursor` do not apply',
  })
  @MayBeLeftOut()
  @IsIn(USAGE_FORMATS)
  format?: UsageFormat;
}

function IsDayOrInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'isDayOrInstant',
    validator: {
      validate: (value) => typeof value === 'string' && firstMsOf(value) !== undefined,
      defaultMessage: () => '$property must be a date such as 2026-01-31 or an RFC 3339 date-time',
    },
  });
}

function IsStart(): PropertyDecorator {
  const isNotAfterTo = ValidateBy({
    name: 'isNotAfterTo',
    validator: {
      validate: (from, args) => {
        const { to } = args?.object as UsageQuery;
        const start = typeof from === 'string' ? firstMsOf(from) : undefined;
        const end = typeof to === 'string' ? lastMsOf(to) : undefined;
        return start === undefined || end === undefined || start <= end;
      },
      defaultMessage: () => '$property must not be after to',
    },
  });
  return applyDecorators(IsDayOrInstant(), isNotAfterTo);
}
