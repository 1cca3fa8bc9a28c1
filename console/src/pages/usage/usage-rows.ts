import type { Schema } from '../../api/endpoints';
import type { Lines, Sample } from '../../metrics/samples';
import { linesOf } from '../../metrics/samples';

export type UsageRow = Schema<'UsageOfDay'>;

const DAY_MS = 86_400_000;
/** Types with a line of their own; a chart with more cannot be read. */
export const MOST_LINES = 3;

/** Days of the chart, so that a single one keeps its place in time. */
const LEAST_DAYS = 7;

export interface UsageOfType {
  type: string;
  events: number;
  bytes: number;
  deliveries: number;
  processed: number;
}

/** Sums by type, the largest first. */
export function byType(rows: readonly UsageRow[]): UsageOfType[] {
  const types = new Map<string, UsageOfType>();
  for (const { type, events, bytes, deliveries, processed } of rows) {
    const sum = types.get(type) ?? { type, events: 0, bytes: 0, deliveries: 0, processed: 0 };
    types.set(type, {
      type,
      events: sum.events + events,
      bytes: sum.bytes + bytes,
      deliveries: sum.deliveries + deliveries,
      processed: sum.processed + processed,
    });
  }
  return [...types.values()].sort((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1));
}

export interface UsageLines {
  names: string[];
  data: Lines;
}

/** Events a day: the largest types, and the rest together. Days without events count as 0. */
export function eventsByDay(rows: readonly UsageRow[]): UsageLines {
  const types = byType(rows).map(({ type }) => type);
  const largest = types.slice(0, MOST_LINES);
  const names = types.length > MOST_LINES ? [...largest, 'other types'] : largest;
  const days = rows.map(({ day }) => Date.parse(day));
  const last = days.reduce((a, b) => Math.max(a, b), 0);
  const first = days.reduce((a, b) => Math.min(a, b), last - (LEAST_DAYS - 1) * DAY_MS);
  const series = names.map((name): Sample[] => {
    const counts = new Map<number, number>();
    for (const { day, type, events } of rows) {
      const line = largest.includes(type) ? type : 'other types';
      if (line === name) counts.set(Date.parse(day), (counts.get(Date.parse(day)) ?? 0) + events);
    }
    const samples: Sample[] = [];
    for (let atMs = first; atMs <= last; atMs += DAY_MS) {
      samples.push({ atMs, value: counts.get(atMs) ?? 0, seconds: DAY_MS / 1_000 });
    }
    return samples;
  });
  return { names, data: linesOf(series) };
}

/** As GET /v1/admin/usage?format=csv writes it. */
const HEAD = 'tenant,day,type,events,bytes,deliveries,processed,processedBytes,closed';

/** RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvOf(rows: readonly UsageRow[]): string {
  const lines = rows.map(({ tenantId, day, type, events, bytes, deliveries, processed, processedBytes, closed }) =>
    [cellOf(tenantId), day, cellOf(type), events, bytes, deliveries, processed, processedBytes, closed].join(','),
  );
  return [HEAD, ...lines, ''].join('\r\n');
}

function cellOf(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
