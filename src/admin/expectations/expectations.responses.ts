import { ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';
import { SilenceResponse } from './silence-fields';

export class ExpectationResponse extends SilenceResponse {
  @ApiText('demo') tenantId!: string;
  @ApiText('order.paid') eventType!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

export class ExpectationsResponse {
  @ApiList(ExpectationResponse, { description: 'In the order of their types, at most 100' })
  expectations!: ExpectationResponse[];
  @ApiNextCursor('Always null: the list has one page') nextCursor!: null;
}
