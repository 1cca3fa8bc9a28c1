import type { Event } from '../../event/event';
import type { SourceAnswer } from '../directory/answers';

/** The steps of a request, in the order in which they are taken. */
export const TRIAL_STEPS = ['address', 'signature', 'handshake', 'body', 'mapping', 'filter', 'identity'] as const;
export type TrialStepName = (typeof TRIAL_STEPS)[number];

export const TRIAL_OUTCOMES = [
  'accepted',
  'duplicate',
  'filtered',
  'rejected',
  'unverified',
  'handshake',
  'unavailable',
] as const;
export type TrialOutcome = (typeof TRIAL_OUTCOMES)[number];

export interface TrialStep {
  step: TrialStepName;
  ok: boolean;
  text: string;
  data?: object;
}

/** What a request would lead to. */
export interface Trial {
  steps: TrialStep[];
  outcome: TrialOutcome;
  answer: SourceAnswer;
  events: TrialEvent[];
}

export type TrialEvent = Pick<Event, 'type' | 'subject' | 'eventId' | 'occurredAt' | 'partitionKey'> & {
  payload: unknown;
};
