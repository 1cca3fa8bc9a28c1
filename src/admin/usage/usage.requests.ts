import { applyDecorators } from '@nestjs/common';
import { IsDateString, Matches } from 'class-validator';
import { ApiDay } from '../../http/docs/api-fields';
import { MayBeLeftOut, OneTenant } from '../endpoint/rules';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export class UsageQuery {
  @OneTenant('Only usage of this tenant')
  tenantId?: string;

  @OneDay('First UTC day, inclusive, as YYYY-MM-DD')
  from?: string;

  @OneDay('Last UTC day, inclusive, as YYYY-MM-DD')
  to?: string;
}

function OneDay(description: string): PropertyDecorator {
  return applyDecorators(
    IsDateString({ strict: true }),
    Matches(DAY, { message: '$property must be a date in the form YYYY-MM-DD' }),
    MayBeLeftOut(),
    ApiDay({ required: false, example: undefined, description }),
  );
}
