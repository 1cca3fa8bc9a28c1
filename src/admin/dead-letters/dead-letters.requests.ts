import { IsIn } from 'class-validator';
import { ApiEnum } from '../../http/docs/api-fields';
import { MayBeLeftOut } from '../endpoint/rules';
import { BulkRequest } from '../events/bulk-request';
import { EventFilterQuery, EventPageQuery } from '../events/event-filter';

const DEAD = ['DLQ'] as const;
const ApiDead = (): PropertyDecorator =>
  ApiEnum('DeadLetterStatus', DEAD, { required: false, description: 'Must be DLQ, which is the default' });

export class ReasonsQuery extends EventFilterQuery {
  @ApiDead()
  @IsIn(DEAD)
  override status = 'DLQ' as const;
}

export class DeadLettersQuery extends EventPageQuery {
  @ApiDead()
  @IsIn(DEAD)
  override status = 'DLQ' as const;
}

export class RetryRequest extends BulkRequest {
  @ApiDead()
  @MayBeLeftOut()
  @IsIn(DEAD)
  override status?: 'DLQ' = undefined;
}

export class DiscardRequest extends RetryRequest {}
