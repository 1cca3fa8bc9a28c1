import { ATTEMPT_STATUSES, REASON_CODES, type AttemptStatus } from '../../event/event-status';
import { ApiCount, ApiEnum, ApiFlag, ApiInstant, ApiText } from './api-fields';

/** One run of an event's handlers. */
export class AttemptResponse {
  @ApiCount(1, { minimum: 1 }) attemptNumber!: number;
  @ApiCount(1, { minimum: 1, description: 'Number of the dispatch that the attempt belongs to' }) dispatch!: number;
  @ApiEnum('AttemptStatus', ATTEMPT_STATUSES) status!: AttemptStatus;
  @ApiEnum('ReasonCode', REASON_CODES) reasonCode!: string;
  @ApiFlag(false, {
    description: 'True when the attempt failed and no attempt was left. False for a failure that is not retried',
  })
  exhausted!: boolean;
  @ApiText(undefined, { nullable: true }) errorMessage!: string | null;
  @ApiCount(3) durationMs!: number;
  @ApiInstant() createdAt!: string;
}
