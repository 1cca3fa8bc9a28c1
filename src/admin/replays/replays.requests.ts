import { IsIn } from 'class-validator';
import { REPLAY_MODES, type ReplayMode } from '../../event-state/dispatch-replayed.queries';
import { ApiEnum, ApiText } from '../../http/docs/api-fields';
import { BulkRequest } from '../events/bulk-request';
import { IsNeeded, IsTenantId } from '../endpoint/rules';

export class ReplayRequest extends BulkRequest {
  @ApiText('demo', { description: 'Events of this tenant' })
  @IsNeeded()
  @IsTenantId()
  override tenantId = '';

  @ApiEnum('ReplayMode', REPLAY_MODES, {
    description:
      'reprocess: handlers run again, effects included, once. republish: the message goes out again, handlers that succeeded do not run.',
  })
  @IsIn(REPLAY_MODES)
  mode!: ReplayMode;
}
