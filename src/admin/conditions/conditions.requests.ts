import { IsCursor, IsListLimit } from '../endpoint/paging';
import { OneTenant } from '../endpoint/rules';

/** Selects one page of the raised conditions. */
export class ConditionsQuery {
  @OneTenant('Only conditions of this tenant. The event of many conditions belongs to no tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}
