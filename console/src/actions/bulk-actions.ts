import type { BulkAction, BulkRun } from './bulk-dialog';
import type { Outcome } from './outcome';
import { act } from '../api/client';
import type { Schema } from '../api/endpoints';

/** What selects the events of an action; never empty. */
export type EventSelection = Omit<Schema<'RetryRequest'>, 'all' | 'limit' | 'dryRun' | 'note' | 'status'>;
/** A replay is always of one tenant. */
export type ReplaySelection = Omit<Schema<'ReplayRequest'>, 'all' | 'limit' | 'dryRun' | 'note' | 'mode'> & {
  tenantId: string;
};

const optionsOf = ({ dryRun, note }: BulkRun): { dryRun: boolean; note?: string } => ({
  dryRun,
  ...(note === undefined ? {} : { note }),
});

export const retryDeadLetters = (selection: EventSelection): BulkAction => ({
  verb: 'Retry',
  done: 'sent on',
  noun: 'dead letter',
  effect:
    'Handlers that failed run again, and failed deliveries are made again. What already succeeded is not repeated.',
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...selection, ...optionsOf(options) };
    const { retried, ...counts } = await act('post', '/v1/admin/dlq/retry', { body, idempotencyKey });
    return { ...counts, changed: retried };
  },
});

export const discardDeadLetters = (selection: EventSelection): BulkAction => ({
  verb: 'Discard',
  done: 'discarded',
  noun: 'dead letter',
  effect:
    'They are not processed or delivered, and leave the dead letters. The events stay, and a replay can send them.',
  isFinal: true,
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...selection, ...optionsOf(options) };
    const { discarded, ...counts } = await act('post', '/v1/admin/dlq/discard', { body, idempotencyKey });
    return { ...counts, changed: discarded };
  },
});

export const replayEvents = (selection: ReplaySelection, mode: Schema<'ReplayMode'>): BulkAction => ({
  verb: mode === 'reprocess' ? 'Reprocess' : 'Republish',
  done: 'queued for the replay',
  noun: 'event',
  effect:
    mode === 'reprocess'
      ? 'Handlers run again and every destination gets the event again, also those that have it already.'
      : 'The events are dispatched again. Handlers and deliveries that already succeeded do not run again.',
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...selection, mode, ...optionsOf(options) };
    const response = await act('post', '/v1/admin/replay', { body, idempotencyKey });
    const { matched, replayed, skipped, preview, replayId } = response;
    return { matched, changed: replayed, skipped, more: preview?.more ?? false, replayId };
  },
});

/** The stored events of a time range, each as a new delivery to one destination. */
export const backfillEvents = (
  destinationId: string,
  range: Omit<Schema<'BackfillRequest'>, 'dryRun' | 'note'>,
): BulkAction => ({
  verb: 'Deliver',
  done: 'queued for the backfill',
  noun: 'event',
  effect:
    'Each gets a new delivery to this destination. Those that it has already, and those whose handlers have not succeeded, are skipped.',
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...range, ...optionsOf(options) };
    const path = { id: destinationId };
    const { matched, replayId } = await act('post', '/v1/admin/destinations/{id}/backfill', {
      path,
      body,
      idempotencyKey,
    });
    return { matched, changed: matched, skipped: 0, replayId };
  },
});

/** The deliveries of one event to one destination, with this status. */
export const retryDelivery = (
  eventId: string,
  destinationId: string,
  status: Schema<'RetriedDeliveryStatus'>,
): BulkAction => ({
  verb: 'Retry',
  done: 'sent on',
  noun: 'delivery',
  effect: 'The delivery is made again now, and goes on counting its attempts.',
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { eventIds: [eventId], destinationId, status, ...optionsOf(options) };
    const { retried, ...counts } = await act('post', '/v1/admin/deliveries/retry', { body, idempotencyKey });
    return { ...counts, changed: retried };
  },
});
