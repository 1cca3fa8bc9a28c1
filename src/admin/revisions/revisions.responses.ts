import { ApiCount, ApiFlag, ApiInstant, ApiJson, ApiObject, ApiText } from '../../http/docs/api-fields';
import { DeliveredEvent } from '../../http/docs/delivered-event';
import { ApiActionId } from '../endpoint/action-docs';

class RevisedEventResponse extends DeliveredEvent {
  @ApiCount(2, { minimum: 2 }) revision!: number;
}

export class RevisionResponse {
  @ApiCount(2, { minimum: 2, description: 'Number of the revision. The event as it was sent is revision 1' })
  revision!: number;
  @ApiText('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6', {
    description: 'SHA-256 of the content of the event with this payload, in hex',
  })
  hash!: string;
  @ApiText('the amount was in cents', { nullable: true }) note!: string | null;
  @ApiText('ada', { description: 'Name of the operator' }) actor!: string;
  @ApiInstant({ nullable: true, description: 'Null in a dry run' }) createdAt!: string | null;
  @ApiFlag(true, { description: 'Whether the event is dispatched again, or one of its deliveries is due' })
  retried!: boolean;
  @ApiFlag(false) dryRun!: boolean;
  @ApiActionId() actionId!: string | null;
  @ApiText('c-1') correlationId!: string;
  @ApiJson([{ op: 'replace', path: '/amount', value: 10.5 }], {
    description: 'What changes from the payload before it, as a JSON Patch of at most 500 operations',
  })
  diff!: unknown;
  @ApiFlag(false, { description: 'True if there are more differences' }) diffTruncated!: boolean;
  @ApiObject(RevisedEventResponse, { description: 'The event as handlers and destinations get it' })
  event!: RevisedEventResponse;
}
