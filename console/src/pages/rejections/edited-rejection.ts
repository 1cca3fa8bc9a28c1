import type { Schema } from '../../api/endpoints';
import { faultOfJson } from '../../json/exact-json';
import { pretty } from '../../json/pretty';

interface Options {
  dryRun: boolean;
  note: string | undefined;
}

/** The body of a request that resubmits one rejection with other content, which keeps its digits as they were typed. */
export function resubmissionText(
  { id, tenantId, status }: Pick<Schema<'RejectionResponse'>, 'id' | 'tenantId' | 'status'>,
  content: string,
  { dryRun, note }: Options,
): string {
  const others = JSON.stringify({ tenantId, ids: [id], status, dryRun, ...(note === undefined ? {} : { note }) });
  return `{"patch":[{"op":"replace","path":"","value":${content.trim()}}],${others.slice(1)}`;
}

/** The record to begin with: itself if it is JSON, else nothing that could be edited. */
export function editable(rawText: string | null): string | undefined {
  return rawText === null || faultOfJson(rawText) !== undefined ? undefined : pretty(rawText);
}
