import type { BrokenRecord } from '../broken-record';
import type { Exchange } from '../exchange';
import { keyOf, type PlannedEvent } from '../planned-event';
import { isLater, type Reading, type Sending } from '../sending';

/** A POST with one event. */
export function singleOf(event: PlannedEvent): Sending {
  const key = keyOf(event);
  return {
    kind: `single ${event.form}`,
    path: '/v1/events',
    headers: {
      'content-type': event.contentType,
      'x-tenant-id': event.tenant,
      ...event.headers,
      ...(key === undefined ? {} : { 'x-idempotency-key': key }),
    },
    body: event.text,
    records: [{ event }],
    read: (answer) => readTaken(answer, event.name),
  };
}

function readTaken({ status, text, headers }: Exchange, name: string): Reading {
  if (isLater(status as number)) return { next: 'again', told: [] };
  const outcome = status === 202 ? 'accepted' : 'duplicate';
  if (status !== 202 && status !== 200) return { next: 'strange', told: [] };
  const fields = JSON.parse(text) as Record<string, unknown>;
  const agrees = fields.status === outcome && fields.duplicate === (outcome === 'duplicate');
  const announced = (headers['idempotent-replayed'] === 'true') === (outcome === 'duplicate');
  const located = headers.location === `/v1/events/${String(fields.id)}`;
  const next = agrees && announced && located ? 'done' : 'strange';
  return { next, told: [{ record: 1, name, outcome, fields }] };
}

/** A POST with one record that must be rejected. */
export function brokenSingleOf(tenant: string, broken: BrokenRecord): Sending {
  const { key, name } = broken;
  return {
    kind: 'single broken',
    path: '/v1/events',
    headers: {
      'content-type': 'application/json',
      'x-tenant-id': tenant,
      ...(key === undefined ? {} : { 'x-idempotency-key': key }),
    },
    body: broken.text,
    records: [{ broken }],
    read: ({ status, text }) => {
      if (isLater(status)) return { next: 'again', told: [] };
      if (status < 300) return { next: 'done', told: [{ record: 1, name, outcome: 'taken' }] };
      const { code, retryable, kept } = JSON.parse(text) as { code: string; retryable: boolean; kept?: boolean };
      const next = status === broken.status && !retryable ? 'done' : 'strange';
      return { next, told: [{ record: 1, name, outcome: 'rejected', code, kept }] };
    },
  };
}
