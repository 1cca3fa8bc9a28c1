import { Problem } from '../../event/problems';
import { MAX_REVISIONS } from '../../revisions/revision';

/** Where an event stands, as far as a revision depends on it. */
export interface RevisionStanding {
  /** `event_state.status`; null if the event has no state. */
  state: string | null;
  /** Its payloads were erased. */
  erased: boolean;
  /** The newest revision; null if there is none. */
  revision: number | null;
  /** The event has succeeded in its current generation. */
  handlersDone: boolean;
  /** A replay is about to dispatch it. */
  awaitsReplay: boolean;
  /** One of its newest deliveries is FAILED. */
  hasFailedDelivery: boolean;
  /** A process runs that would process or deliver the event as it was sent. */
  earlierBuildRuns: boolean;
}

const BUSY_SECONDS = 1;
const UPGRADE_SECONDS = 30;

/** Returns why an event cannot get a revision now, or undefined if it can. */
export function refusedRevision(standing: RevisionStanding): Problem | undefined {
  const { state, handlersDone, awaitsReplay, hasFailedDelivery, earlierBuildRuns, revision } = standing;
  const isAtRest = handlersDone ? state === null || state === 'COMPLETED' : state === 'DLQ' || state === 'DISCARDED';
  if (standing.erased)
    return new Problem('event-erased', 'The payload of this event was erased, so it cannot be revised.');
  if (!isAtRest || awaitsReplay) return inProcess();
  if (handlersDone ? !hasFailedDelivery : state !== 'DLQ') {
    return new Problem(
      'event-not-failed',
      'Only an event in the DLQ, or with a failed delivery, can be revised. Use a replay to send another event again.',
    );
  }
  if ((revision ?? 1) >= MAX_REVISIONS) {
    return new Problem('too-many-revisions', `An event has at most ${MAX_REVISIONS} revisions, the first included.`);
  }
  if (!earlierBuildRuns) return undefined;
  return new Problem(
    'upgrade-unfinished',
    'A process of a build before revisions is running, and would send the event as it was. Finish the upgrade.',
    { retryAfterSeconds: UPGRADE_SECONDS },
  );
}

/** The problem of an event that its handlers or a delivery are working on. */
export function inProcess(): Problem {
  return new Problem('event-in-process', 'The event is being processed or delivered. Try again when it has ended.', {
    retryAfterSeconds: BUSY_SECONDS,
  });
}
