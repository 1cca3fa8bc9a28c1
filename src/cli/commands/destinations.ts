import type { Command } from 'commander';
import type { Adding, Cli, Work } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import type { ApiClient } from '../http/api-client';
import { idOf } from '../http/by-reference';
import { readPages } from '../http/pages';
import { givenText } from '../input/given-text';
import { jsonText } from '../input/json-text';
import { moment } from '../input/moment';
import { secretOf } from '../input/secret';

interface DestinationRow {
  id: string;
  tenantId: string;
  uid: string | null;
  url: string;
  eventTypes: string[];
  status: string;
  format: string;
  disabledReason: string | null;
}

interface Health {
  successRate: number | null;
  p95Ms: number | null;
  backlog: number;
  lastError: string | null;
}

interface Tried {
  delivered: boolean;
  status: number | null;
  message: string;
  durationMs: number;
}

interface CreateOptions {
  to?: string;
  uid?: string;
  types?: string;
  description?: string;
  secretEnv?: string;
}

export const addDestinations: Adding = (program: Command, run) => {
  const destinations = program.command('destinations').description('where events are delivered');
  const add = (name: string, does: string): Command => destinations.command(name).description(does);
  const one = (name: string, does: string): Command => add(name, does).argument('<id>', 'id or uid');
  destinations
    .command('list', { isDefault: true })
    .description('list destinations')
    .option('--all-tenants', 'not only those of your tenant')
    .action(run<{ allTenants?: boolean }>(list));
  one('show', 'show one with its health').action(run(show));
  add('create', 'create one of options, or of its JSON; the secret is printed once')
    .argument('[json]', 'the whole destination as JSON, @file, or - for standard input')
    .option('--to <url>', 'URL of the receiver')
    .option('--uid <uid>', 'a name of your own')
    .option('--types <list>', 'event types, such as order.*,invoice.paid (default: all)')
    .option('--description <text>', 'description')
    .option('--secret-env <variable>', 'variable with a signing secret of your own')
    .action(run<CreateOptions>(create));
  one('test', 'send it a test event').option('--event <id>', 'a stored event').action(run<{ event?: string }>(test));
  one('pause', 'let its deliveries wait').action(run(switched('pause')));
  one('resume', 'go on').action(run(switched('resume')));
  one('enable', 'enable it again').action(run(enable));
  one('backfill', 'deliver what was received in a time')
    .requiredOption('--from <time>', 'from: a time, or how long ago, such as 2h')
    .option('--to <time>', 'up to (default: now)', '0s')
    .option('--type <type>', 'event type, or a prefix that ends with *')
    .option('--dry-run', 'only count')
    .option('-y, --yes', 'do it without being asked')
    .action(run<BackfillOptions>(backfill));
  one('rotate-secret', 'give it another signing secret, which is printed once')
    .option('--secret-env <variable>', 'variable with a secret of your own')
    .action(run<{ secretEnv?: string }>(rotate));
  one('delete', 'delete it').option('-y, --yes', 'do it without being asked').action(run<{ yes?: boolean }>(remove));
};

async function list(cli: Cli, { allTenants }: { allTenants?: boolean }): Promise<void> {
  const { tenant } = cli.connection;
  const page = await readPages<'destinations', DestinationRow>(
    await cli.operator(),
    '/v1/admin/destinations',
    'destinations',
    { query: tenant === undefined || allTenants ? {} : { tenantId: tenant }, limit: 10_000 },
  );
  cli.out.result(page, () =>
    cli.out.table(
      ['id', 'uid', 'tenant', 'status', 'url', 'types'],
      page.destinations.map((d) => [d.id, d.uid, d.tenantId, d.status, d.url, d.eventTypes.join(',')]),
      'There are no destinations.',
    ),
  );
}

/** The path of the destination that a user names. */
async function placeOf(cli: Cli, client: ApiClient, reference: string): Promise<string> {
  return `/v1/admin/destinations/${await idOf(client, 'destinations', reference, cli.connection.tenant)}`;
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<DestinationRow & { health: Health }>(await placeOf(cli, client, id));
  cli.out.result(text, () =>
    cli.out.facts([
      ...(['id', 'uid', 'tenantId', 'status', 'disabledReason', 'url', 'format'] as const).map(
        (n) => [n, body[n]] as const,
      ),
      ['types', body.eventTypes.join(',')],
      ['success rate', body.health.successRate],
      ['p95 (ms)', body.health.p95Ms],
      ['waiting', body.health.backlog],
      ['last error', body.health.lastError],
    ]),
  );
}

async function create(cli: Cli, options: CreateOptions, [json]: string[]): Promise<void> {
  const body =
    json === undefined ? await ofOptions(cli, options) : jsonText(await givenText(cli, json), 'The destination');
  const client = await cli.operator();
  const made = await client.call<DestinationRow & { secret: string }>('/v1/admin/destinations', { body });
  cli.out.result(made.text, () => {
    cli.out.facts([
      ['id', made.body.id],
      ['secret', made.body.secret],
    ]);
    cli.out.note('The secret is shown only now. The receiver checks webhook-signature with it.');
  });
}

async function ofOptions(cli: Cli, { to, uid, types, description, secretEnv }: CreateOptions): Promise<object> {
  if (to === undefined) throw usageError('Say --to URL, or give the destination as JSON.');
  return {
    tenantId: await cli.tenant(),
    url: to,
    uid,
    eventTypes: types?.split(',').map((type) => type.trim()),
    description,
    secret: secretEnv === undefined ? undefined : secretOf(cli, secretEnv),
  };
}

async function test(cli: Cli, { event }: { event?: string }, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<Tried>(`${await placeOf(cli, client, id)}/test`, {
    body: { eventId: event },
  });
  cli.out.result(text, () => cli.out.line(`${body.message} (${body.status ?? 'no response'}, ${body.durationMs} ms)`));
  if (!body.delivered) throw new CliError('The test was not delivered.', EXIT.failed);
}

function switched(verb: 'pause' | 'resume'): Work<unknown> {
  return async (cli, _options, [id = '']) => {
    const client = await cli.operator();
    const path = `${await placeOf(cli, client, id)}/${verb}`;
    showStatus(cli, await client.call<DestinationRow>(path, { method: 'POST' }));
  };
}

async function enable(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const path = await placeOf(cli, client, id);
  showStatus(cli, await client.call<DestinationRow>(path, { method: 'PATCH', body: { enabled: true } }));
}

function showStatus(cli: Cli, { text, body }: { text: string; body: DestinationRow }): void {
  cli.out.result(text, () => cli.out.line(`${body.uid ?? body.id} is ${cli.out.state(body.status)}.`));
}

interface BackfillOptions {
  from: string;
  to: string;
  type?: string;
  dryRun?: boolean;
  yes?: boolean;
}

async function backfill(
  cli: Cli,
  { from, to, type, dryRun, yes }: BackfillOptions,
  [id = '']: string[],
): Promise<void> {
  const client = await cli.operator();
  const path = `${await placeOf(cli, client, id)}/backfill`;
  const body = { from: moment(from), to: moment(to), type };
  const counted = await client.call<{ matched: number }>(path, { body: { ...body, dryRun: true } });
  const { matched } = counted.body;
  if (dryRun === true || matched === 0)
    return cli.out.result(counted.text, () => cli.out.line(`${matched} events match.`));
  if (!(await cli.confirm(`Deliver ${matched} events?`, yes))) return cli.out.note('Nothing was changed.');
  const { text, body: started } = await client.call<{ matched: number; replayId: string }>(path, { body });
  cli.out.result(text, () => {
    cli.out.line(`${started.matched} events are delivered.`);
    cli.out.note(`"streamforge replay show ${started.replayId}" shows the progress.`);
  });
}

async function rotate(cli: Cli, { secretEnv }: { secretEnv?: string }, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const body = secretEnv === undefined ? {} : { secret: secretOf(cli, secretEnv) };
  const path = `${await placeOf(cli, client, id)}/rotate-secret`;
  const { text, body: rotated } = await client.call<{ secret: string }>(path, { body });
  cli.out.result(text, () => {
    cli.out.line(rotated.secret);
    cli.out.note('The secret is shown only now. The previous one signs as well for a day.');
  });
}

async function remove(cli: Cli, { yes }: { yes?: boolean }, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const path = await placeOf(cli, client, id);
  if (!(await cli.confirm(`Delete the destination ${id}? Its open deliveries are skipped.`, yes))) return;
  await client.call(path, { method: 'DELETE' });
  cli.out.result({ deleted: id }, () => cli.out.line(`Deleted ${id}.`));
}
