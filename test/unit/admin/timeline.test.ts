import { deliveryAttemptEntry, deliveryEntry, settledEntry } from '../../../src/admin/timeline/delivery-entries';
import { dispatchEntry, receivedEntry, rejectionEntries } from '../../../src/admin/timeline/event-entries';
import { attemptEntry, deadLetterEntry, retryEntry } from '../../../src/admin/timeline/handler-entries';
import {
  actionEntry,
  replayEntry,
  resolvedEntry,
  revisionEntry,
  settledByAction,
} from '../../../src/admin/timeline/operator-entries';
import { bySystem, newestEntries } from '../../../src/admin/timeline/timeline-entry';

const AT = '2026-11-24T04:08:57.544Z';
const LATER = '2026-11-24T04:09:57.544Z';

const received = {
  ...{ id: 'id', eventId: 'sale-1', type: 'sale.completed', source: 'api', sourceId: null, sourceName: null },
  ...{ subject: 'order-1', correlationId: 'c-1', sizeBytes: 12, hash: 'ab', receivedAt: AT },
};
const attempt = {
  ...{ at: AT, attemptNumber: 2, dispatchNo: 2, generation: 1, status: 'RETRY' as const, reasonCode: 'HANDLER_ERROR' },
  ...{ exhausted: false, errorMessage: 'it broke.', durationMs: 3 },
};
const letter = {
  ...{ at: AT, reasonCode: 'HANDLER_ERROR', errorMessage: 'it broke', attempts: 5, exhausted: true },
  ...{ resolvedAt: null, resolution: null, note: null },
};
const delivery = {
  ...{ at: AT, destinationId: 'd-1', destination: 'orders', generation: 1, status: 'OPEN' as const, attempts: 0 },
  ...{ exhausted: false, lastReasonCode: null, lastStatusCode: null, settledAt: null, replayId: null },
  ...{ replayMode: null, requestedBy: null, note: null },
};
const call = {
  ...{ at: AT, destinationId: 'd-1', destination: 'orders', generation: 1, attemptNumber: 1, reasonCode: 'PROCESSED' },
  ...{ statusCode: 200, durationMs: 12, responseExcerpt: 'ok' },
};
const replay = {
  ...{ at: AT, replayId: 'r-1', mode: 'reprocess' as const, destinationId: null, destination: null, generation: 2 },
  ...{ dispatchNo: 3, requestedBy: 'ada', note: 'again' },
};
const action = {
  ...{ at: AT, actionId: 'a-1', action: 'dlq.retry', destinationIds: [] as string[], destinations: [] as string[] },
  ...{ actor: 'ada', note: 'mended' },
};
const rejection = {
  id: 'x-1',
  code: 'invalid-event',
  pointer: '/subject',
  message: 'subject is missing',
  receivedAt: AT,
  duplicate: false,
};

describe('an entry of a timeline says what happened:', () => {
  it.each([
    [receivedEntry(received), 'Event "sale-1" of type sale.completed was received.'],
    [
      receivedEntry({ ...received, sourceId: 's', sourceName: 'shop' }),
      'Event "sale-1" of type sale.completed was received through the source "shop".',
    ],
    [
      dispatchEntry({ at: AT, status: 'PUBLISHED', dispatchNo: 1, generation: 1, attempts: 0, lastError: null }),
      'Dispatch 1 was published to the broker.',
    ],
    [
      dispatchEntry({ at: AT, status: 'FAILED', dispatchNo: 1, generation: 1, attempts: 9, lastError: 'too large' }),
      'Dispatch 1 could not be published: too large.',
    ],
    [attemptEntry({ ...attempt, status: 'SUCCESS' }), 'Attempt 2 of the handlers succeeded in 3 ms.'],
    [attemptEntry(attempt), 'Attempt 2 of the handlers failed with HANDLER_ERROR: it broke.'],
    [attemptEntry({ ...attempt, errorMessage: null }), 'Attempt 2 of the handlers failed with HANDLER_ERROR.'],
    [
      retryEntry({ at: AT, dueAt: LATER, dispatchNo: 3, attempts: 2, lastError: 'it broke' }),
      `Attempt 3 of the handlers is due at ${LATER}.`,
    ],
    [
      deadLetterEntry(letter),
      'The event became a dead letter, because no attempt was left. The cause is HANDLER_ERROR: it broke.',
    ],
    [
      deadLetterEntry({ ...letter, exhausted: false, errorMessage: null }),
      'The event became a dead letter, because the failure is not retried. The cause is HANDLER_ERROR.',
    ],
    [deliveryEntry(delivery), 'The delivery to orders was recorded.'],
    [
      deliveryEntry({ ...delivery, generation: 2, replayId: 'r', replayMode: 'backfill', requestedBy: 'ada' }),
      'Delivery 2 to orders was recorded by a backfill.',
    ],
    [deliveryAttemptEntry(call), 'Attempt 1 of the delivery to orders succeeded (HTTP 200) after 12 ms.'],
    [
      deliveryAttemptEntry({ ...call, reasonCode: 'TIMEOUT', statusCode: null }),
      'Attempt 1 of the delivery to orders failed with TIMEOUT after 12 ms.',
    ],
    [replayEntry(replay), 'The event was replayed with mode reprocess: all handlers run again.'],
    [
      replayEntry({ ...replay, mode: 'republish' }),
      'The event was replayed with mode republish: handlers that have succeeded do not run again.',
    ],
    [
      replayEntry({ ...replay, destinationId: 'd-1', destination: 'orders' }),
      'The event was replayed to orders with mode reprocess: a new delivery is made.',
    ],
    [
      revisionEntry({ revision: 2, hash: 'ab', sizeBytes: 9, note: null, actor: 'ada', createdAt: AT }),
      'Revision 2 was made: the event has another payload.',
    ],
    [actionEntry(action), 'The dead letter was retried.'],
    [actionEntry({ ...action, action: 'dlq.discard', destinations: ['a'] }), 'The delivery to a was discarded.'],
    [
      actionEntry({ ...action, action: 'deliveries.retry', destinations: ['a', 'b'] }),
      'The deliveries to a and b were retried.',
    ],
    [
      actionEntry({ ...action, destinations: ['a', 'b', 'c', 'd', 'e'] }),
      'The deliveries to a, b, c and 2 more were retried.',
    ],
    [actionEntry({ ...action, action: 'rejections.resubmit' }), 'A rejection was resubmitted, and this is its event.'],
    [actionEntry({ ...action, action: 'outbox.retry' }), 'A dispatch that had failed was returned to the outbox.'],
    [actionEntry({ ...action, action: 'something.new' }), 'The event was changed by something.new.'],
  ])('%#: $text', (entry, text) => {
    expect(entry).toMatchObject({ at: AT, text });
  });

  it('a rejection is told as it was refused and as it was sent in again', () => {
    const told = (settledAt: string | null, byOperator = false) =>
      rejectionEntries({ ...rejection, settledAt }, byOperator).map(({ at, kind, text }) => [at, kind, text]);
    const refused = [AT, 'rejected', 'The record was refused with invalid-event: subject is missing.'];
    expect(told(null)).toEqual([refused]);
    expect(told(LATER, true)).toEqual([refused]);
    expect(told(LATER)).toEqual([
      refused,
      [LATER, 'resubmitted', 'The rejection was sent in again and became this event.'],
    ]);
  });

  it('a rejection that is a duplicate is not said to have become the event, nor one of which it is not known', () => {
    const texts = (duplicate: boolean | null, byOperator: boolean) =>
      rejectionEntries({ ...rejection, settledAt: LATER, duplicate }, byOperator).map(({ text }) => text);
    const ofAnother = [
      'Another record was refused with invalid-event: subject is missing.',
      'The rejection of another record was sent in again. It is a duplicate of this event.',
    ];
    expect(texts(true, false)).toEqual(ofAnother);
    expect(texts(true, true)).toEqual(ofAnother);
    expect(texts(null, false)).toEqual([
      'A record was refused with invalid-event: subject is missing.',
      'The rejection was sent in again. This is its event.',
    ]);
  });

  it('it names the operator and the note of what an operator did, and StreamForge for the rest', () => {
    expect(actionEntry(action)).toMatchObject({ actor: 'ada', note: 'mended' });
    expect(replayEntry(replay)).toMatchObject({ actor: 'ada', note: 'again' });
    expect(
      deliveryEntry({ ...delivery, replayId: 'r', replayMode: 'backfill', requestedBy: 'ada', note: 'new' }),
    ).toMatchObject({ actor: 'ada', note: 'new' });
    expect(deliveryEntry(delivery)).toMatchObject({ actor: 'streamforge', note: null });
    expect(receivedEntry(received)).toMatchObject({ actor: 'streamforge', note: null });
  });
});

describe('the end of a delivery', () => {
  const ended = { ...delivery, settledAt: LATER, attempts: 3, lastReasonCode: 'HTTP_5XX' };
  const textOf = (more: object, discarded = false) => settledEntry({ ...ended, ...more }, discarded)?.text;

  it('is told unless its attempts or an operator tell it', () => {
    expect(textOf({ status: 'FAILED', exhausted: true })).toBe(
      'The delivery to orders failed with HTTP_5XX, and no attempt was left.',
    );
    expect(textOf({ status: 'FAILED' })).toBe('The delivery to orders failed with HTTP_5XX, and is not tried again.');
    expect(textOf({ status: 'SKIPPED', lastReasonCode: 'DESTINATION_DELETED' })).toBe(
      'The delivery to orders was skipped with DESTINATION_DELETED.',
    );
    expect(textOf({ status: 'DELIVERED' })).toBeUndefined();
    expect(textOf({ status: 'DELIVERED', attempts: 0 })).toBe(
      'The delivery to orders had been made by an earlier version.',
    );
    expect(textOf({ status: 'DISCARDED' })).toBe('The delivery to orders was discarded.');
    expect(textOf({ status: 'DISCARDED' }, true)).toBeUndefined();
    expect(textOf({ settledAt: null })).toBeUndefined();
  });

  it('is the work of an action of the same transaction on the same destination', () => {
    const of = (more: object) => settledByAction(ended, [{ ...action, at: LATER, destinationIds: ['d-1'], ...more }]);
    expect(of({})).toBe(true);
    expect(of({ at: AT })).toBe(false);
    expect(of({ destinationIds: ['d-2'] })).toBe(false);
  });
});

it('a dead letter that an earlier version retried or discarded is told without the operator', () => {
  const resolved = { ...letter, resolvedAt: LATER, resolution: 'DISCARDED' as const, note: 'test data' };
  const discard = { ...action, action: 'dlq.discard', at: LATER };
  expect(resolvedEntry(resolved, [], [])).toMatchObject({
    ...{ at: LATER, kind: 'action', actor: null, text: 'The dead letter was discarded.', note: 'test data' },
  });
  expect(resolvedEntry(resolved, [discard], [])).toBeUndefined();
  expect(resolvedEntry(resolved, [{ ...discard, at: AT }], [])).toBeDefined();
  expect(resolvedEntry({ ...resolved, resolution: 'REPLAYED' }, [], [])).toBeUndefined();
  expect(resolvedEntry(letter, [], [])).toBeUndefined();
  const revision = { revision: 2, hash: 'ab', sizeBytes: 9, note: null, actor: 'ada', createdAt: LATER };
  const retried = { ...resolved, resolution: 'RETRIED' as const };
  expect(resolvedEntry(retried, [], [revision])).toMatchObject({ actor: 'ada', text: 'The dead letter was retried.' });
});

it('entries are in the order of their time, then of their kinds, and the newest are kept', () => {
  const entry = (at: string, kind: Parameters<typeof bySystem>[1]) => bySystem(at, kind, kind, {});
  const all = [entry(LATER, 'dead-letter'), entry(LATER, 'attempt'), entry(AT, 'delivery'), entry(AT, 'received')];
  const kinds = (most: number) => newestEntries(all, most).entries.map(({ kind }) => kind);
  expect(kinds(4)).toEqual(['received', 'delivery', 'attempt', 'dead-letter']);
  expect(kinds(2)).toEqual(['attempt', 'dead-letter']);
  expect([4, 3].map((most) => newestEntries(all, most).truncated)).toEqual([false, true]);
});
