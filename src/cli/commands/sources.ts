import type { Command } from 'commander';
import type { Adding, Cli, Work } from '../cli';
import { usageError } from '../cli-error';
import type { ApiClient } from '../http/api-client';
import { idOf } from '../http/by-reference';
import { readPages } from '../http/pages';
import { givenText } from '../input/given-text';
import { jsonText } from '../input/json-text';
import { secretOf } from '../input/secret';
import { printable } from '../terminal/printable';

interface SourceRow {
  id: string;
  tenantId: string;
  uid: string | null;
  name: string;
  provider: string;
  status: string;
  urlHint: string;
  needsSecret: boolean;
}

interface SourceCall {
  result: string;
  status: number;
  code: string | null;
  reason: string | null;
  eventIds: string[];
  correlationId: string;
}

interface SourceTried {
  outcome: string;
  answer: { status: number };
  steps: { step: string; ok: boolean; text: string }[];
}

interface CreateOptions {
  name?: string;
  provider?: string;
  uid?: string;
  secretEnv?: string;
}

interface TestOptions {
  body?: string;
  header?: string[];
}

export const addSources: Adding = (program: Command, run) => {
  const sources = program.command('sources').description('URLs for producers that send webhooks');
  const add = (name: string, does: string): Command => sources.command(name).description(does);
  const one = (name: string, does: string): Command => add(name, does).argument('<id>', 'id or uid');
  sources
    .command('list', { isDefault: true })
    .description('list sources')
    .option('--all-tenants', 'not only those of your tenant')
    .action(run<{ allTenants?: boolean }>(list));
  add('providers', 'list the presets').action(run(providers));
  one('show', 'show one').action(run(show));
  add('create', 'create one of options, or of its JSON; its URL is printed once')
    .argument('[json]', 'the whole source as JSON, @file, or - for standard input')
    .option('--name <name>', 'name, which is the source of its events')
    .option('--provider <id>', 'preset of "streamforge sources providers"')
    .option('--uid <uid>', 'a name of your own')
    .option('--secret-env <variable>', 'variable with the secret of the provider')
    .action(run<CreateOptions>(create));
  one('requests', 'show the last requests, and why each was taken or refused').action(run(requests));
  one('test', 'show what would become of a request')
    .option('--body <text>', 'its body, @file, or - for standard input')
    .option('--header <header...>', 'headers as name:value')
    .action(run<TestOptions>(test));
  one('pause', 'answer its requests with 503').action(run(switched('paused')));
  one('resume', 'take its requests again').action(run(switched('active')));
  one('rotate-url', 'give it another URL, which is printed once').action(run(rotate));
  one('delete', 'delete it').option('-y, --yes', 'do it without being asked').action(run<{ yes?: boolean }>(remove));
};

async function list(cli: Cli, { allTenants }: { allTenants?: boolean }): Promise<void> {
  const { tenant } = cli.connection;
  const page = await readPages<'sources', SourceRow>(await cli.operator(), '/v1/admin/sources', 'sources', {
    query: tenant === undefined || allTenants ? {} : { tenantId: tenant },
    limit: 10_000,
  });
  cli.out.result(page, () =>
    cli.out.table(
      ['id', 'uid', 'tenant', 'status', 'provider', 'name', 'url'],
      page.sources.map((s) => [s.id, s.uid, s.tenantId, s.status, s.provider, s.name, s.urlHint]),
      'There are no sources.',
    ),
  );
}

async function providers(cli: Cli): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<{ sourceProviders: { id: string; name: string }[] }>(
    '/v1/admin/source-providers',
  );
  cli.out.result(text, () =>
    cli.out.table(
      ['id', 'name'],
      body.sourceProviders.map(({ id, name }) => [id, name]),
      'There are none.',
    ),
  );
}

/** The path of the source that a user names. */
async function placeOf(cli: Cli, client: ApiClient, reference: string): Promise<string> {
  return `/v1/admin/sources/${await idOf(client, 'sources', reference, cli.connection.tenant)}`;
}

async function show(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<SourceRow>(await placeOf(cli, client, id));
  const names = ['id', 'uid', 'tenantId', 'name', 'provider', 'status', 'urlHint', 'needsSecret'] as const;
  cli.out.result(text, () => cli.out.facts(names.map((name) => [name, body[name]])));
}

async function create(cli: Cli, options: CreateOptions, [json]: string[]): Promise<void> {
  const body = json === undefined ? await ofOptions(cli, options) : jsonText(await givenText(cli, json), 'The source');
  const client = await cli.operator();
  const made = await client.call<SourceRow & { url: string }>('/v1/admin/sources', { body });
  cli.out.result(made.text, () => showUrl(cli, made.body));
}

async function ofOptions(cli: Cli, { name, provider, uid, secretEnv }: CreateOptions): Promise<object> {
  if (name === undefined || provider === undefined) {
    throw usageError('Say --name and --provider, or give the source as JSON.');
  }
  const secrets = secretEnv === undefined ? undefined : [secretOf(cli, secretEnv)];
  return { tenantId: await cli.tenant(), name, provider, uid, secrets };
}

function showUrl(cli: Cli, { id, url, needsSecret }: SourceRow & { url: string }): void {
  cli.out.facts([
    ['id', id],
    ['url', url],
  ]);
  cli.out.note('The URL is a credential, and shown only now. Enter it at the provider.');
  if (needsSecret) cli.out.note('It has no secret yet, so it answers with 503 until it gets one.');
}

async function requests(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const { text, body } = await client.call<{ requests: SourceCall[] }>(`${await placeOf(cli, client, id)}/requests`);
  cli.out.result(text, () =>
    cli.out.table(
      ['result', 'status', 'code', 'events', 'correlation id', 'reason'],
      body.requests.map((r) => [r.result, r.status, r.code, r.eventIds.length, r.correlationId, r.reason]),
      'No request has come yet.',
    ),
  );
}

async function test(cli: Cli, options: TestOptions, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const body = {
    headers: Object.fromEntries((options.header ?? []).map(headerOf)),
    body: options.body === undefined ? undefined : await givenText(cli, options.body),
  };
  const { text, body: tried } = await client.call<SourceTried>(`${await placeOf(cli, client, id)}/test`, { body });
  cli.out.result(text, () => {
    cli.out.line(`${cli.out.state(tried.outcome)}: the provider would get ${tried.answer.status}.`);
    for (const { step, ok, text: what } of tried.steps)
      cli.out.line(`  ${ok ? 'ok' : 'no'}  ${step}: ${printable(what)}`);
  });
}

function headerOf(header: string): [string, string] {
  const colon = header.indexOf(':');
  if (colon < 1) throw usageError(`--header "${header}" must be name:value.`);
  return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()];
}

function switched(status: 'paused' | 'active'): Work<unknown> {
  return async (cli, _options, [id = '']) => {
    const client = await cli.operator();
    const path = await placeOf(cli, client, id);
    const { text, body } = await client.call<SourceRow>(path, { method: 'PATCH', body: { status } });
    cli.out.result(text, () => cli.out.line(`${body.uid ?? body.id} is ${cli.out.state(body.status)}.`));
  };
}

async function rotate(cli: Cli, _options: unknown, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const path = `${await placeOf(cli, client, id)}/rotate-token`;
  const { text, body } = await client.call<SourceRow & { url: string }>(path, { body: {} });
  cli.out.result(text, () => showUrl(cli, body));
}

async function remove(cli: Cli, { yes }: { yes?: boolean }, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const path = await placeOf(cli, client, id);
  if (!(await cli.confirm(`Delete the source ${id}? Requests to its URL are refused.`, yes))) return;
  await client.call(path, { method: 'DELETE' });
  cli.out.result({ deleted: id }, () => cli.out.line(`Deleted ${id}.`));
}
