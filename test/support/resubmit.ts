import { ask, expectStatus } from './access/access-admin';

export interface Resubmitted {
  accepted: boolean;
  actionId: string | null;
  dryRun: boolean;
  matched: number;
  resubmitted: number;
  duplicates: number;
  rejected: number;
  skipped: number;
  pending: number;
  rejectedByCode: Record<string, number>;
  firstRejected: { id: string; code: string; pointer: string | null; message: string }[];
  preview: { id: string; event: Record<string, unknown> }[];
}

/** Resubmits rejections and expects that the request is accepted. */
export function resubmit(url: string, body: object): Promise<Resubmitted> {
  return expectStatus(202, ask<Resubmitted>(url, 'POST', 'rejections/resubmit', { body }));
}

export const replaced = (path: string, value: unknown): object => ({ op: 'replace', path, value });
