import { PROBLEM_CODES } from '../../../event/problems';
import { ApiAnyObject, ApiCount, ApiCounts, ApiEnum, ApiId, ApiList, ApiText } from '../../../http/docs/api-fields';
import { BulkResponse } from '../../endpoint/action-docs';

class RefusedAgainResponse {
  @ApiId() id!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: string;
  @ApiText('/subject', { nullable: true, description: 'JSON Pointer to the first invalid place' })
  pointer!: string | null;
  @ApiText('/subject must not be empty') message!: string;
}

class PreviewedEventResponse {
  @ApiId({ description: 'Id of the rejection' }) id!: string;
  @ApiAnyObject(
    { type: 'sale.completed', subject: 'order-1001', payload: { total: 10.5 } },
    { description: 'The event as it would be accepted, without what StreamForge adds' },
  )
  event!: object;
}

/** In a dry run, all counts say what would become of the rejections. */
export class ResubmitResponse extends BulkResponse {
  @ApiCount(3, { description: 'Number of rejections that match the filter, up to `limit`' }) matched!: number;
  @ApiCount(2, { description: 'Number of rejections that became events' }) resubmitted!: number;
  @ApiCount(0, { description: 'Number of rejections whose event was stored already. They are RESUBMITTED as well' })
  duplicates!: number;
  @ApiCount(1, { description: 'Number of rejections that were refused again. They stay as they were' })
  rejected!: number;
  @ApiCount(0, {
    description: 'Number of rejections that another operator was changing or has changed, or that are no longer kept',
  })
  skipped!: number;
  @ApiCount(0, {
    description:
      'Number of rejections that were not reached, or of which it is not known whether they became events: the database ' +
      'failed or was slow, or 20 seconds were over. Send the request again, with another idempotency key',
  })
  pending!: number;
  @ApiCounts({ 'invalid-event': 1 }, { description: 'Number of rejections that were refused again, by code' })
  rejectedByCode!: Record<string, number>;
  @ApiList(RefusedAgainResponse, {
    description: 'The first 10 rejections that were refused again. Empty in a repeated response',
  })
  firstRejected!: RefusedAgainResponse[];
  @ApiList(PreviewedEventResponse, { description: 'Of a dry run: the first 10 records as they would become' })
  preview!: PreviewedEventResponse[];
}

export class RejectionsDiscardedResponse extends BulkResponse {
  @ApiCount(3, { description: 'Number of rejections that match the filter, up to `limit`' }) matched!: number;
  @ApiCount(3) discarded!: number;
  @ApiCount(0, { description: 'Number of matched rejections that are no longer open' }) skipped!: number;
}
