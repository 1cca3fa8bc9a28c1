import { actText } from '../../../api/client';
import type { Schema } from '../../../api/endpoints';
import { memberText } from '../../../json/exact-json';
import { pretty } from '../../../json/pretty';

export interface Tried extends Schema<'SourceTestResponse'> {
  /** The events as JSON text, in which numbers have all their digits. */
  eventsText: string;
}

/** Asks what a request would lead to. Nothing is stored. @throws ApiProblem, ConnectionLost */
export async function tryRequest(sourceId: string, body: Schema<'SourceTestRequest'>): Promise<Tried> {
  const text = await actText('post', '/v1/admin/sources/{id}/test', { path: { id: sourceId }, body });
  return {
    ...(JSON.parse(text) as Schema<'SourceTestResponse'>),
    eventsText: pretty(memberText(text, 'events') ?? '[]'),
  };
}
