import { ApiText } from '../../http/docs/api-fields';
import { IsPlainText } from '../endpoint/rules';
import { TenantPath } from '../tenants/tenants.requests';
import { SilenceFields } from './silence-fields';

const MOST_TYPE = 255;

/** What is left out gets its default. */
export class ExpectationRequest extends SilenceFields {}

export class ExpectationPath extends TenantPath {
  @ApiText('order.paid', { description: 'An event type, not a pattern', minLength: 1, maxLength: MOST_TYPE })
  @IsPlainText(MOST_TYPE)
  eventType!: string;
}
