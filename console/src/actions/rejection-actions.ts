import { act } from '../api/client';
import type { Schema } from '../api/endpoints';
import type { BulkAction, BulkRun } from './bulk-dialog';
import type { Outcome } from './outcome';
import { outcomeOf } from './resubmission-outcome';

/** What selects the rejections of an action; never empty. */
export type RejectionSelection = Omit<
  Schema<'ResubmitRequest'>,
  'all' | 'limit' | 'dryRun' | 'note' | 'status' | 'patch'
>;

const optionsOf = ({ dryRun, note }: BulkRun): { dryRun: boolean; note?: string } => ({
  dryRun,
  ...(note === undefined ? {} : { note }),
});

export const resubmitRejections = (selection: RejectionSelection): BulkAction => ({
  verb: 'Resubmit',
  done: 'resubmitted',
  noun: 'rejection',
  effect: 'Each is taken in as if it came now, with the rules and mappings of now. It becomes one event at most.',
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...selection, ...optionsOf(options) };
    const response = await act('post', '/v1/admin/rejections/resubmit', { body, idempotencyKey });
    return outcomeOf(response);
  },
});

export const discardRejections = (selection: RejectionSelection): BulkAction => ({
  verb: 'Discard',
  done: 'discarded',
  noun: 'rejection',
  effect: 'They leave the open rejections. Nothing is deleted, and they can still be resubmitted one by one.',
  isFinal: true,
  run: async (options): Promise<Outcome> => {
    const { idempotencyKey } = options;
    const body = { ...selection, ...optionsOf(options) };
    const { discarded, ...counts } = await act('post', '/v1/admin/rejections/discard', { body, idempotencyKey });
    return { ...counts, changed: discarded };
  },
});
