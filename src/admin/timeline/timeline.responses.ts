import { ApiAnyObject, ApiEnum, ApiFlag, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { TIMELINE_KINDS, type TimelineKind } from './timeline-entry';

class TimelineEntryResponse {
  @ApiInstant() at!: string;
  @ApiEnum('TimelineKind', TIMELINE_KINDS) kind!: TimelineKind;
  @ApiText('streamforge', {
    nullable: true,
    description:
      'Name of the operator, or `streamforge` for what StreamForge did by itself. Null if the operator is not recorded, ' +
      'or acted for tenants that you may not see',
  })
  actor!: string | null;
  @ApiText('Attempt 1 of the handlers succeeded in 3 ms.', { description: 'A sentence in English, for people' })
  text!: string;
  @ApiText(undefined, { nullable: true, description: 'Note of the operator' }) note!: string | null;
  @ApiAnyObject({ attemptNumber: 1, durationMs: 3 }, { description: 'The facts of the entry, by kind. No payloads' })
  data!: object;
}

export class TimelineResponse {
  @ApiList(TimelineEntryResponse, { description: 'The newest 1,000 entries, oldest first' })
  entries!: TimelineEntryResponse[];
  @ApiFlag(false, { description: 'True if there are earlier entries' }) truncated!: boolean;
}
