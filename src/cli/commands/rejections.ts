import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { actInBulk, type BulkOptions } from '../http/bulk-action';
import { itemLimit, readPages } from '../http/pages';
import { addBulk, idsFilter } from '../input/bulk-options';
import { addFilter, filterOf, type FilterOptions } from '../input/filter-options';
import { givenText } from '../input/given-text';
import { jsonText } from '../input/json-text';
import { printable } from '../terminal/printable';

interface RejectionRow {
  id: string;
  tenantId: string;
  code: string;
  pointer: string | null;
  message: string;
  eventType: string | null;
  receivedAt: string;
  status: string;
}

interface RejectionShown extends RejectionRow {
  rawText: string | null;
  rawBase64: string | null;
  truncated: boolean;
}

interface Reasons {
  reasons: { id: string; code: string; pointer: string | null; message: string; count: number; lastSeenAt: string }[];
}

type ListOptions = FilterOptions & { limit?: string };
type ChangeOptions = FilterOptions & BulkOptions & { patch?: string };

const FILTER = ['status', 'code', 'type', 'sourceId', 'group', 'correlationId', 'from', 'to'] as const;

export const addRejections: Adding = (program: Command, run) => {
  const rejections = program.command('rejections').description('what was refused, and why; resubmit it');
  addFilter(rejections.command('list', { isDefault: true }).description('list rejections, newest first'), FILTER)
    .option('--limit <n>', 'how many (default: 50)')
    .action(run<ListOptions>(list));
  addFilter(rejections.command('groups').description('count rejections by cause'), FILTER)
    .option('--limit <n>', 'how many groups (default: 20)')
    .action(run<ListOptions>(groups));
  rejections.command('show').description('show one with its bytes').argument('<id>').action(run(show));
  addBulk(addFilter(rejections.command('resubmit').description('send what was refused again'), FILTER))
    .argument('[ids...]', 'ids of rejections')
    .option('--patch <json>', 'change each record first: JSON Patch, @file, or - for standard input')
    .action(run<ChangeOptions>((cli, options, ids) => change(cli, options, ids, 'resubmit')));
  addBulk(addFilter(rejections.command('discard').description('give rejections up'), FILTER))
    .argument('[ids...]', 'ids of rejections')
    .action(run<ChangeOptions>((cli, options, ids) => change(cli, options, ids, 'discard')));
};

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const page = await readPages<'rejections', RejectionRow>(await cli.operator(), '/v1/admin/rejections', 'rejections', {
    query: filterOf(options, cli.connection.tenant),
    limit: itemLimit(options.limit, 50),
  });
  cli.out.result(page, () => {
    cli.out.table(
      ['received', 'id', 'tenant', 'status', 'code', 'place', 'message'],
      page.rejections.map((r) => [r.receivedAt, r.id, r.tenantId, r.status, r.code, r.pointer, r.message]),
      'No rejection matches.',
    );
    if (page.nextCursor !== null) cli.out.note('There are more. "streamforge rejections groups" counts them by cause.');
  });
}

async function groups(cli: Cli, options: ListOptions): Promise<void> {
  const query = { ...filterOf(options, cli.connection.tenant), limit: itemLimit(options.limit, 20) };
  const client = await cli.operator();
  const { text, body } = await client.call<Reasons>('/v1/admin/rejections/reasons', { query });
  cli.out.result(text, () =>
    cli.out.table(
      ['count', 'last', 'group', 'code', 'place', 'message'],
      body.reasons.map((r) => [r.count, r.lastSeenAt, r.id, r.code, r.pointer, r.message]),
      'No rejection matches.',
    ),
  );
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<RejectionShown>(`/v1/admin/rejections/${encodeURIComponent(id)}`);
  cli.out.result(text, () => {
    cli.out.facts([
      ...(['id', 'tenantId', 'receivedAt', 'status', 'code', 'pointer', 'message'] as const).map(
        (n) => [n, body[n]] as const,
      ),
    ]);
    cli.out.line();
    cli.out.line((body.rawText ?? `base64: ${body.rawBase64}`).split('\n').map(printable).join('\n'));
    if (body.truncated) cli.out.note('Only the beginning of the record was kept.');
  });
}

async function change(cli: Cli, options: ChangeOptions, ids: string[], verb: 'resubmit' | 'discard'): Promise<void> {
  const filter = { ...filterOf(options, cli.connection.tenant), ...idsFilter('ids', ids) };
  const patch =
    options.patch === undefined ? undefined : jsonText(await givenText(cli, options.patch), 'The JSON Patch');
  await actInBulk(cli, await cli.operator(), options, {
    path: `/v1/admin/rejections/${verb}`,
    filter,
    also: patch === undefined ? {} : { patch: JSON.parse(patch) as unknown },
    verb: verb === 'resubmit' ? 'Resubmit' : 'Discard',
    things: 'rejections',
    done: verb === 'resubmit' ? 'resubmitted' : 'discarded',
    asksAlways: verb === 'discard',
  });
}
