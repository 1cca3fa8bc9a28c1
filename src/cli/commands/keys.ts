import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { usageError } from '../cli-error';
import { readPages } from '../http/pages';
import { moment } from '../input/moment';

interface KeyRow {
  id: string;
  name: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

type NewKey = KeyRow & { key: string };

interface CreateOptions {
  name: string;
  scopes: string;
  expires?: string;
  allow?: string[];
}

export const addKeys: Adding = (program: Command, run) => {
  const keys = program.command('keys').description('API keys of the tenant');
  keys.command('list', { isDefault: true }).description('list keys, newest first').action(run(list));
  keys
    .command('create')
    .description('make a key; it is printed once')
    .requiredOption('--name <name>', 'what or who uses it')
    .option('--scopes <list>', 'ingest, read or both', 'ingest,read')
    .option('--expires <time>', 'when it ends (default: never)')
    .option('--allow <cidr...>', 'networks that may use it (default: all)')
    .action(run<CreateOptions>(create));
  keys
    .command('rotate')
    .description('make a second key that takes the place of this one')
    .argument('<id>')
    .option('--overlap <seconds>', 'for how long the first one works as well (default: a day)')
    .action(run<{ overlap?: string }>(rotate));
  keys
    .command('revoke')
    .description('revoke a key')
    .argument('<id>')
    .option('-y, --yes')
    .action(run<{ yes?: boolean }>(revoke));
};

const path = (tenant: string, ...more: string[]): string =>
  ['/v1/admin/tenants', tenant, 'keys', ...more]
    .map((part, i) => (i === 0 ? part : encodeURIComponent(part)))
    .join('/');

async function list(cli: Cli): Promise<void> {
  const address = path(await cli.tenant());
  const page = await readPages<'keys', KeyRow>(await cli.operator(), address, 'keys', { limit: 1_000 });
  cli.out.result(page, () =>
    cli.out.table(
      ['id', 'name', 'scopes', 'created', 'last used', 'expires', 'revoked'],
      page.keys.map((k) => [k.id, k.name, k.scopes.join(','), k.createdAt, k.lastUsedAt, k.expiresAt, k.revokedAt]),
      'The tenant has no keys. "streamforge keys create --name NAME" makes one.',
    ),
  );
}

async function create(cli: Cli, { name, scopes, expires, allow }: CreateOptions): Promise<void> {
  const address = path(await cli.tenant());
  const client = await cli.operator();
  const body = {
    name,
    scopes: scopes.split(',').map((scope) => scope.trim()),
    ...(expires === undefined ? {} : { expiresAt: moment(expires) }),
    ...(allow === undefined ? {} : { allow }),
  };
  const { text, body: made } = await client.call<NewKey>(address, { body });
  cli.out.result(text, () => showKey(cli, made));
}

async function rotate(cli: Cli, { overlap }: { overlap?: string }, [id = '']: string[]): Promise<void> {
  const overlapSeconds = overlap === undefined ? undefined : Number(overlap);
  if (Number.isNaN(overlapSeconds)) throw usageError(`--overlap ${overlap} must be a number of seconds.`);
  const address = path(await cli.tenant(), id, 'rotate');
  const client = await cli.operator();
  const { text, body } = await client.call<NewKey>(address, { body: { overlapSeconds } });
  cli.out.result(text, () => showKey(cli, body));
}

function showKey(cli: Cli, { key }: NewKey): void {
  cli.out.line(key);
  cli.out.note('This key is shown only now. Producers send it as X-Api-Key; here, set STREAMFORGE_KEY.');
}

async function revoke(cli: Cli, { yes }: { yes?: boolean }, [id = '']: string[]): Promise<void> {
  const address = path(await cli.tenant(), id);
  const client = await cli.operator();
  if (!(await cli.confirm(`Revoke the key ${id}? Producers that use it are refused at once.`, yes))) return;
  await client.call(address, { method: 'DELETE' });
  cli.out.result({ revoked: id }, () => cli.out.line(`Revoked ${id}.`));
}
