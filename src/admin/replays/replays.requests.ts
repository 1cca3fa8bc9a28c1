import { IsIn, ValidateIf } from 'class-validator';
import { REPLAY_MODES, type ReplayMode } from '../../event-state/dispatch-replayed.queries';
import { ApiEnum, ApiText } from '../../http/docs/api-fields';
import { BulkRequest } from '../events/bulk-request';
import { IsTenantId } from '../endpoint/rules';

export class ReplayRequest extends BulkRequest {
  @ApiText('demo', { required: false, description: 'Only events of this tenant. Required unless `all` is true' })
  @ValidateIf(({ all, tenantId }: ReplayRequest) => all !== true || tenantId !== undefined)
  @IsTenantId()
  override tenantId?: string = undefined;

  @ApiEnum('ReplayMode', REPLAY_MODES, {
    description:
      '`reprocess`: all handlers run again and repeat their effects. `republish`: the message is published again, but handlers that already succeeded do not run again. With `destinationId`, no handler runs: `reprocess` makes a new delivery to this destination, `republish` opens its FAILED delivery again.',
  })
  @IsIn(REPLAY_MODES)
  mode!: ReplayMode;
}
