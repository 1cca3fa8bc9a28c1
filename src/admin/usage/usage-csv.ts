import type { Usage } from './usage.queries';

const COLUMNS = 'tenant,day,type,events,bytes,deliveries,processed,processedBytes,closed';

/**
 * Writes usage as CSV (RFC 4180), a page at a time. A text that a spreadsheet would take for a formula begins with an
 * apostrophe.
 * @param pages each read when the client has taken the one before
 */
export async function* usageCsv(pages: AsyncIterable<readonly Usage[]>): AsyncGenerator<string> {
  yield `${COLUMNS}\r\n`;
  for await (const rows of pages) yield rows.map(lineOf).join('');
}

function lineOf(row: Usage): string {
  const { tenantId, day, type, events, bytes, deliveries, processed, processedBytes, closed } = row;
  const cells = [cellOf(tenantId), day, cellOf(type), events, bytes, deliveries, processed, processedBytes, closed];
  return `${cells.join(',')}\r\n`;
}

function cellOf(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
