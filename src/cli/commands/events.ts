import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { exactValue } from '../../event/json/exact-value';
import { itemLimit, readPages } from '../http/pages';
import { addFilter, filterOf, type FilterOptions } from '../input/filter-options';
import { printable } from '../terminal/printable';

interface ListedEventRow {
  id: string;
  tenantId: string;
  type: string;
  subject: string;
  receivedAt: string;
  status: string;
}

interface ShownEvent extends ListedEventRow {
  eventId: string;
  source: string;
  correlationId: string;
  occurredAt: string;
  completedAt: string | null;
  nextAttemptAt: string | null;
  lastError: string | null;
  payloadHidden?: boolean;
  deliveries: { destinationId: string; status: string; attempts: number; lastReasonCode: string | null }[];
}

interface Timeline {
  entries: { at: string; kind: string; actor: string | null; text: string; note: string | null }[];
}

const FILTER = [
  ...(['status', 'type', 'subject', 'partitionKey', 'source', 'sourceId', 'destination', 'reason'] as const),
  ...(['statusClass', 'correlationId', 'from', 'to'] as const),
];

export const addEvents: Adding = (program: Command, run) => {
  const events = program.command('events').description('find events and see what became of them');
  addFilter(events.command('list', { isDefault: true }).description('list events, newest first'), FILTER)
    .option('--limit <n>', 'how many (default: 50)')
    .action(run<FilterOptions & { limit?: string }>(list));
  events
    .command('show')
    .description('show an event, its payload and its deliveries')
    .argument('<id>', "the event's id, or the producer's id with a tenant")
    .action(run(show));
  events
    .command('timeline')
    .description('show everything that happened to an event')
    .argument('<id>', "the event's id")
    .action(run(timeline));
};

async function list(cli: Cli, options: FilterOptions & { limit?: string }): Promise<void> {
  const query = filterOf(options, cli.connection.tenant);
  const limit = itemLimit(options.limit, 50);
  const page = await readPages<'events', ListedEventRow>(await cli.operator(), '/v1/admin/events', 'events', {
    query,
    limit,
  });
  cli.out.result(page, () => {
    cli.out.table(
      ['received', 'id', 'tenant', 'status', 'type', 'subject'],
      page.events.map((e) => [e.receivedAt, e.id, e.tenantId, e.status, e.type, e.subject]),
      'No event matches.',
    );
    if (page.nextCursor !== null) cli.out.note('There are more. Say --limit, or narrow the filter.');
  });
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const headers = { 'x-tenant-id': cli.connection.tenant };
  const { text, body } = await client.call<ShownEvent>(`/v1/events/${encodeURIComponent(id)}`, { headers });
  cli.out.result(text, () => {
    cli.out.facts([
      ...(['id', 'eventId', 'tenantId', 'type', 'subject', 'status'] as const).map((n) => [n, body[n]] as const),
      ...(['source', 'correlationId', 'occurredAt', 'receivedAt'] as const).map((n) => [n, body[n]] as const),
      ...(['completedAt', 'nextAttemptAt', 'lastError'] as const).map((n) => [n, body[n]] as const),
    ]);
    cli.out.line();
    if (body.payloadHidden) cli.out.line('The payload is hidden from your role.');
    else cli.out.line(payloadLines(text));
    if (body.deliveries.length === 0) return;
    cli.out.line();
    cli.out.table(
      ['destination', 'status', 'attempts', 'reason'],
      body.deliveries.map((d) => [d.destinationId, d.status, d.attempts, d.lastReasonCode]),
      '',
    );
  });
}

/** With the numbers as they were sent. Line breaks of the layout stay, everything that could control the terminal does not. */
function payloadLines(text: string): string {
  const { payload } = exactValue(text) as { payload: unknown };
  return JSON.stringify(payload, null, 2).split('\n').map(printable).join('\n');
}

async function timeline(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<Timeline>(`/v1/admin/events/${encodeURIComponent(id)}/timeline`);
  cli.out.result(text, () =>
    cli.out.table(
      ['at', 'what', 'by', 'note'],
      body.entries.map((entry) => [entry.at, entry.text, entry.actor, entry.note]),
      'Nothing has happened to it yet.',
    ),
  );
}
