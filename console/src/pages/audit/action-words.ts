/** What an operator, or StreamForge by itself, did: for people. */
const WORDS: Record<string, string> = {
  replay: 'replayed events',
  'replay.cancel': 'cancelled a replay',
  'dlq.retry': 'retried dead letters',
  'dlq.discard': 'discarded dead letters',
  'event.revise': 'edited an event',
  'deliveries.retry': 'retried deliveries',
  'deliveries.discard': 'discarded deliveries',
  'rejections.resubmit': 'resubmitted rejections',
  'rejections.discard': 'discarded rejections',
  'outbox.retry': 'retried outbox entries',
  'destination.create': 'created a destination',
  'destination.change': 'changed a destination',
  'destination.delete': 'deleted a destination',
  'destination.pause': 'paused a destination',
  'destination.resume': 'resumed a destination',
  'destination.disable': 'disabled a destination',
  'destination.backfill': 'started a backfill',
  'destination.rotate-secret': 'gave a destination a new secret',
  'source.create': 'created a source',
  'source.change': 'changed a source',
  'source.delete': 'deleted a source',
  'source.rotate-token': 'gave a source a new URL',
  'source.rotate-secret': 'gave a source a new secret',
  'expectation.put': 'set what is expected of a type',
  'expectation.delete': 'ended what is expected of a type',
  erasure: 'erased payloads',
  'erasure.cancel': 'cancelled an erasure',
  'tenant.create': 'registered a tenant',
  'tenant.change': 'changed a tenant',
  'key.create': 'created an API key',
  'key.rotate': 'rotated an API key',
  'key.revoke': 'revoked an API key',
  'operator.create': 'created an operator',
  'operator.change': 'changed an operator',
  'operator.revoke': 'revoked an operator',
  'sign-in': 'signed in with the printed link',
  'access.refused': 'was refused',
  'retention.drop': 'deleted what is past its retention',
};

/** The actions that the filter offers. */
export const ACTIONS: readonly string[] = Object.keys(WORDS);

/** A later release may know more actions. */
export const wordsOf = (action: string): string => WORDS[action] ?? action;
