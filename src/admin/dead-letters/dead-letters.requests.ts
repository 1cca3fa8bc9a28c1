import { IsIn } from 'class-validator';
import { ApiEnum, ApiText } from '../../http/docs/api-fields';
import { BulkRequest } from '../events/bulk-request';
import { IsListLimit } from '../endpoint/paging';
import { IsPlainText, MayBeLeftOut, OneTenant } from '../endpoint/rules';
import { EventPageQuery } from '../events/event-filter';

export class ReasonsQuery {
  @OneTenant('Only dead letters of this tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of reasons in the response')
  limit = 50;
}

const DEAD = ['DLQ'] as const;
const ApiDead = (): PropertyDecorator =>
  ApiEnum('DeadLetterStatus', DEAD, { required: false, description: 'Must be DLQ, which is the default' });

export class DeadLettersQuery extends EventPageQuery {
  @ApiDead()
  @IsIn(DEAD)
  override status = 'DLQ' as const;
}

export class RetryRequest extends BulkRequest {
  @ApiDead()
  @IsIn(DEAD)
  override status = 'DLQ' as const;
}

export class DiscardRequest extends RetryRequest {
  @ApiText(undefined, {
    required: false,
    description: 'Reason for the change. Stored with the dead letters and in the audit entry',
    minLength: 1,
    maxLength: 500,
  })
  @MayBeLeftOut()
  @IsPlainText(500)
  note?: string;
}
