import { ApiAnyObject, ApiCount, ApiCounts, ApiEnum, ApiId, ApiInstant, ApiText } from '../../http/docs/api-fields';
import type { ReplayStatus } from '../replays/replay.queries';

export class ActionResponse {
  @ApiId() actionId!: string;
  @ApiText('dlq.retry') action!: string;
  @ApiEnum('ReplayStatus', ['RUNNING', 'DONE', 'CANCELLED']) status!: ReplayStatus;
  @ApiAnyObject({ tenantId: 'demo' }) filter!: object;
  @ApiCount(3, { description: 'Number of events or entries that the request selected' }) matched!: number;
  @ApiCounts({ retried: 3, skipped: 0 }, { description: 'Number of events or entries by outcome' })
  progress!: Record<string, number>;
  @ApiText(undefined, { nullable: true }) note!: string | null;
  @ApiText('c-1') correlationId!: string;
  @ApiInstant() createdAt!: string;
}
