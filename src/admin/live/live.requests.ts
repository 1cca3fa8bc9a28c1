import { ApiId, ApiText } from '../../http/docs/api-fields';
import { IsPlainText, IsUuidText, MayBeLeftOut, OneTenant } from '../endpoint/rules';

/** Selects the events that a client watches. An omitted field matches every event. */
export class LiveQuery {
  @OneTenant('Only events of this tenant')
  tenantId?: string;

  @ApiText(undefined, {
    required: false,
    description: 'Event type, or a prefix that ends with `*`, such as `order.*`',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiText(undefined, { required: false, description: 'Source, exact match', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  source?: string;

  @ApiId({ required: false, example: undefined, description: 'Id of the source that the events come through' })
  @MayBeLeftOut()
  @IsUuidText()
  sourceId?: string;

  @ApiText(undefined, {
    required: false,
    description: 'Text that the id, `eventId`, subject or correlation id has. Case does not matter',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  text?: string;
}
