import { ArrayMaxSize, ArrayMinSize, IsArray, Matches } from 'class-validator';
import { ApiList } from '../../http/docs/api-fields';
import { MayBeLeftOut } from '../endpoint/rules';

/** Most entries that one request gives to the publisher again. */
export const MOST_REQUEUED = 1_000;

export class OutboxRetryRequest {
  @ApiList(String, {
    required: false,
    description: `Ids of FAILED entries; without them the oldest ${MOST_REQUEUED}`,
    minItems: 1,
    maxItems: MOST_REQUEUED,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_REQUEUED)
  @Matches(/^[0-9]{1,18}$/, { each: true, message: 'each id must be the id of an outbox entry, as text' })
  ids?: string[];
}
