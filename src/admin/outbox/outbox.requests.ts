import { ArrayMaxSize, ArrayMinSize, IsArray, Matches } from 'class-validator';
import { ApiList } from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import { MayBeLeftOut } from '../endpoint/rules';

/** Maximum number of entries that one request returns to PENDING. */
export const MOST_REQUEUED = 1_000;

@OptionalBody()
export class OutboxRetryRequest {
  @ApiList(String, {
    required: false,
    description: `Ids of FAILED entries. Default: the oldest ${MOST_REQUEUED} FAILED entries`,
    minItems: 1,
    maxItems: MOST_REQUEUED,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_REQUEUED)
  @Matches(/^[0-9]{1,18}$/, {
    each: true,
    message: 'each of ids must be the id of an outbox entry: a string of 1 to 18 digits',
  })
  ids?: string[];
}
