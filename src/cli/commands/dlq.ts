import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { actInBulk, type BulkOptions } from '../http/bulk-action';
import { itemLimit, readPages } from '../http/pages';
import { addBulk, idsFilter } from '../input/bulk-options';
import { addFilter, filterOf, type FilterOptions } from '../input/filter-options';
import { addEdit } from './edit';

interface DeadLetterRow {
  id: string;
  tenantId: string;
  type: string;
  subject: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  lastFailedAt: string;
}

interface Reasons {
  reasons: {
    id: string;
    reasonCode: string;
    errorMessage: string;
    count: number;
    lastHour: number;
    lastSeenAt: string;
  }[];
  total: number;
}

const FILTER = [
  ...(['type', 'subject', 'partitionKey', 'source', 'sourceId', 'destination', 'reason', 'statusClass'] as const),
  ...(['group', 'correlationId', 'from', 'to'] as const),
];

type ListOptions = FilterOptions & { limit?: string };

export const addDlq: Adding = (program: Command, run) => {
  const dlq = program.command('dlq').description('dead letters: events that have failed and need a person');
  addFilter(dlq.command('list', { isDefault: true }).description('list dead letters, newest first'), FILTER)
    .option('--limit <n>', 'how many (default: 50)')
    .action(run<ListOptions>(list));
  addFilter(dlq.command('groups').description('count dead letters by cause'), FILTER)
    .option('--limit <n>', 'how many groups (default: 20)')
    .action(run<ListOptions>(groups));
  dlq.command('show').description('show one, with why it failed').argument('<id>', "the event's id").action(run(show));
  addBulk(addFilter(dlq.command('retry').description('retry dead letters'), FILTER))
    .argument('[ids...]', 'ids of events')
    .action(run<FilterOptions & BulkOptions>((cli, options, ids) => change(cli, options, ids, 'retry')));
  addBulk(addFilter(dlq.command('discard').description('give dead letters up; nothing is deleted'), FILTER))
    .argument('[ids...]', 'ids of events')
    .action(run<FilterOptions & BulkOptions>((cli, options, ids) => change(cli, options, ids, 'discard')));
  addEdit(dlq, run);
};

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const query = filterOf(options, cli.connection.tenant);
  const limit = itemLimit(options.limit, 50);
  const page = await readPages<'deadLetters', DeadLetterRow>(await cli.operator(), '/v1/admin/dlq', 'deadLetters', {
    query,
    limit,
  });
  cli.out.result(page, () => {
    cli.out.table(
      ['failed', 'id', 'tenant', 'type', 'subject', 'reason', 'attempts', 'error'],
      page.deadLetters.map((d) => [
        ...[d.lastFailedAt, d.id, d.tenantId, d.type, d.subject, d.reasonCode],
        ...[d.attempts, d.errorMessage],
      ]),
      'There are no dead letters that match.',
    );
    if (page.nextCursor !== null) cli.out.note('There are more. "streamforge dlq groups" counts them by cause.');
  });
}

async function groups(cli: Cli, options: ListOptions): Promise<void> {
  const query = { ...filterOf(options, cli.connection.tenant), limit: itemLimit(options.limit, 20) };
  const client = await cli.operator();
  const { text, body } = await client.call<Reasons>('/v1/admin/dlq/reasons', { query });
  cli.out.result(text, () => {
    cli.out.table(
      ['count', 'last hour', 'last', 'group', 'reason', 'error'],
      body.reasons.map((r) => [r.count, r.lastHour, r.lastSeenAt, r.id, r.reasonCode, r.errorMessage]),
      'There are no dead letters that match.',
    );
    if (body.total > 0) cli.out.note('"streamforge dlq retry --group GROUP" retries a group.');
  });
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<Record<string, never> & { attempts: object[] }>(
    `/v1/events/${encodeURIComponent(id)}`,
    { headers: { 'x-tenant-id': cli.connection.tenant } },
  );
  const event = body as unknown as Record<string, string | null>;
  const timeline = await client.call<{ entries: { at: string; text: string; actor: string | null }[] }>(
    `/v1/admin/events/${event.id}/timeline`,
  );
  cli.out.result(text, () => {
    cli.out.facts((['id', 'tenantId', 'type', 'subject', 'status', 'lastError'] as const).map((n) => [n, event[n]]));
    cli.out.line();
    cli.out.table(
      ['at', 'what', 'by'],
      timeline.body.entries.slice(-20).map((entry) => [entry.at, entry.text, entry.actor]),
      'Nothing has happened to it yet.',
    );
    cli.out.note(
      `"streamforge dlq retry ${event.id}" retries it, "streamforge dlq edit ${event.id}" corrects its payload.`,
    );
  });
}

async function change(
  cli: Cli,
  options: FilterOptions & BulkOptions,
  ids: string[],
  verb: 'retry' | 'discard',
): Promise<void> {
  const filter = { ...filterOf(options, cli.connection.tenant), ...idsFilter('eventIds', ids) };
  await actInBulk(cli, await cli.operator(), options, {
    path: `/v1/admin/dlq/${verb}`,
    filter,
    verb: verb === 'retry' ? 'Retry' : 'Discard',
    things: 'dead letters',
    done: verb === 'retry' ? 'retried' : 'discarded',
    asksAlways: verb === 'discard',
  });
}
