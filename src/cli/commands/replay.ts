import { Option, type Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { actInBulk, type BulkOptions } from '../http/bulk-action';
import { itemLimit, readPages } from '../http/pages';
import { addBulk, idsFilter } from '../input/bulk-options';
import { addFilter, filterOf, type FilterOptions } from '../input/filter-options';
import type { Cell } from '../terminal/table';

interface ReplayRow {
  replayId: string;
  mode: string;
  status: string;
  matched: number;
  createdAt: string;
  requestedBy: string;
}

interface Progress extends ReplayRow {
  progress: Record<string, number>;
  skippedByReason: Record<string, number>;
}

interface Preview {
  wouldReplay: number;
  skippedByReason: Record<string, number>;
  byType: Record<string, number>;
  oldest: string | null;
  newest: string | null;
}

const FILTER = [
  ...(['status', 'type', 'subject', 'partitionKey', 'source', 'sourceId', 'destination', 'reason'] as const),
  ...(['statusClass', 'correlationId', 'from', 'to'] as const),
];

export const addReplay: Adding = (program: Command, run) => {
  const replay = program.command('replay').description('send stored events through again; counts and asks first');
  addBulk(addFilter(replay.command('start', { isDefault: true }).description('start a replay'), FILTER))
    .argument('[ids...]', 'ids of events')
    .addOption(
      new Option('--mode <mode>', 'reprocess: all handlers run again. republish: only those that have not succeeded')
        .choices(['reprocess', 'republish'])
        .makeOptionMandatory(),
    )
    .action(run<FilterOptions & BulkOptions & { mode: string }>(start));
  replay
    .command('list')
    .description('list replays and backfills, newest first')
    .option('--limit <n>', 'how many (default: 20)')
    .action(run<{ limit?: string }>(list));
  replay.command('show').description('show the progress of one').argument('<id>').action(run(show));
  replay.command('cancel').description('stop what has not begun').argument('<id>').action(run(cancel));
};

async function start(cli: Cli, options: FilterOptions & BulkOptions & { mode: string }, ids: string[]): Promise<void> {
  await actInBulk(cli, await cli.operator(), options, {
    path: '/v1/admin/replay',
    filter: { ...filterOf(options, cli.connection.tenant), ...idsFilter('eventIds', ids) },
    also: { mode: options.mode },
    verb: options.mode === 'reprocess' ? 'Reprocess' : 'Republish',
    things: 'events',
    done: 'replayed',
    asksAlways: true,
    preview: (dryRun) => showPreview(cli, dryRun.preview as Preview | undefined),
  });
}

function showPreview(cli: Cli, preview: Preview | undefined): void {
  if (preview === undefined) return;
  const { wouldReplay, skippedByReason, byType, oldest, newest } = preview;
  cli.out.facts([
    ['would replay', wouldReplay],
    ['oldest', oldest],
    ['newest', newest],
    ...Object.entries(byType).map(([type, count]): [string, Cell] => [`type ${type}`, count]),
    ...Object.entries(skippedByReason).map(([reason, count]): [string, Cell] => [`skipped: ${reason}`, count]),
  ]);
}

async function list(cli: Cli, options: { limit?: string }): Promise<void> {
  const limit = itemLimit(options.limit, 20);
  const page = await readPages<'replays', ReplayRow>(await cli.operator(), '/v1/admin/replays', 'replays', { limit });
  cli.out.result(page, () =>
    cli.out.table(
      ['started', 'id', 'mode', 'status', 'matched', 'by'],
      page.replays.map((r) => [r.createdAt, r.replayId, r.mode, r.status, r.matched, r.requestedBy]),
      'There was no replay yet.',
    ),
  );
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<Progress>(`/v1/admin/replays/${encodeURIComponent(id)}`);
  cli.out.result(text, () => showProgress(cli, body));
}

async function cancel(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const path = `/v1/admin/replays/${encodeURIComponent(id)}/cancel`;
  const { text, body } = await client.call<Progress>(path, { method: 'POST' });
  cli.out.result(text, () => showProgress(cli, body));
}

function showProgress(
  cli: Cli,
  { replayId, mode, status, matched, createdAt, requestedBy, ...counts }: Progress,
): void {
  cli.out.facts([
    ['id', replayId],
    ...[['mode', mode] as const, ['status', status] as const, ['matched', matched] as const],
    ...[['started', createdAt] as const, ['by', requestedBy] as const],
    ...Object.entries(counts.progress).map(([name, count]): [string, Cell] => [name, count]),
    ...Object.entries(counts.skippedByReason).map(([reason, count]): [string, Cell] => [`skipped: ${reason}`, count]),
  ]);
}
