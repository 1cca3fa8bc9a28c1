import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT } from '../cli-error';
import { currentOf } from '../apply/current';
import { nameOf, parseWanted, type ResourceKind, type Wanted } from '../apply/document';
import { applyPlan, type PlannedChange } from '../apply/plan';
import { refuseMissing, withSecrets } from '../apply/references';
import type { ApiClient } from '../http/api-client';
import { fileText } from '../input/given-text';
import { printable } from '../terminal/printable';

interface ApplyOptions {
  file: string;
  prune?: boolean;
  check?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

/** What a creation shows only once. */
interface Shown {
  url?: string | undefined;
  secret?: string | undefined;
}

/** ResourceKind and name of a resource → its id. */
type Ids = ReadonlyMap<string, string>;

export const addApply: Adding = (program: Command, run) => {
  program
    .command('apply')
    .description('make tenants, sources and destinations what a YAML file says; shows a plan and asks first')
    .requiredOption('-f, --file <file>', 'the file, or - for standard input')
    .option('--prune', 'delete sources and destinations that have a uid and are not in the file')
    .option('--dry-run', 'only show the plan')
    .option('--check', 'only show the plan, and end with 8 if something differs')
    .option('-y, --yes', 'do it without being asked')
    .action(run<ApplyOptions>(apply));
};

async function apply(cli: Cli, { file, prune, check, dryRun, yes }: ApplyOptions): Promise<void> {
  const written = parseWanted(file === '-' ? await cli.input() : await fileText(file));
  const missing = new Set<string>();
  const wanted = withSecrets(written, cli.around.env, missing) as Wanted;
  refuseMissing(missing);
  const client = await cli.operator();
  const { current, ids } = await currentOf(client, tenantOf(wanted));
  const plan = applyPlan(wanted, current, prune === true);
  const changes = plan.filter(({ action }) => action !== 'none');
  if (!cli.out.isJson) showPlan(cli, plan);
  if (check === true || dryRun === true || changes.length === 0) {
    cli.out.result({ plan: changes, applied: false }, () => undefined);
    if (check === true && changes.length > 0) {
      throw new CliError(`${changes.length} resources differ from the file.`, EXIT.differs);
    }
    return;
  }
  if (!(await cli.confirm(`Apply ${changes.length} changes?`, yes))) return cli.out.note('Nothing was changed.');
  const made: (Shown & { kind: ResourceKind; name: string })[] = [];
  for (const change of changes) {
    const { kind, name } = change;
    made.push({ kind, name, ...(await carryOut(client, change, wanted, ids)) });
  }
  const created = made.filter(({ url, secret }) => url !== undefined || secret !== undefined);
  cli.out.result({ plan: changes, applied: true, created }, () => {
    for (const { kind, name, url, secret } of made) {
      if (url !== undefined) cli.out.line(`${kind} ${name}  url     ${url}`);
      if (secret !== undefined) cli.out.line(`${kind} ${name}  secret  ${secret}`);
    }
    cli.out.note(`Applied ${changes.length} changes. URLs and secrets are shown only now.`);
  });
}

/** The tenant of everything in the file, so that an operator of one tenant can apply it. */
function tenantOf(wanted: Wanted): string | undefined {
  const tenants = new Set([
    ...wanted.tenants.map(({ id }) => String(id)),
    ...[...wanted.sources, ...wanted.destinations].map(({ tenantId }) => String(tenantId)),
  ]);
  return tenants.size === 1 ? [...tenants][0] : undefined;
}

function showPlan(cli: Cli, plan: readonly PlannedChange[]): void {
  const marks = { create: '+ create', change: '~ change', delete: '- delete', none: '' };
  const styles = { create: 'green', change: 'yellow', delete: 'red', none: 'dim' } as const;
  for (const { kind, name, action, fields } of plan) {
    if (action === 'none') continue;
    cli.out.line(cli.out.styled(styles[action], printable(`${marks[action]} ${kind} ${name}`)));
    for (const { field, before, after } of fields) {
      cli.out.line(printable(`    ${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`));
    }
  }
  const same = plan.filter(({ action }) => action === 'none').length;
  cli.out.note(`${plan.length - same} to change, ${same} as they should be.`);
}

/** Carries out one change of the plan. Returns what is shown only once. */
async function carryOut(client: ApiClient, change: PlannedChange, wanted: Wanted, ids: Ids): Promise<Shown> {
  const { kind, name, action, fields } = change;
  const place = `/v1/admin/${kind}/${encodeURIComponent(ids.get(`${kind} ${name}`) ?? name)}`;
  if (action === 'delete') {
    await client.call(place, { method: 'DELETE' });
    return {};
  }
  const resource = wanted[kind].find((one) => nameOf(kind, one) === name) ?? {};
  if (action === 'change') {
    const body = Object.fromEntries(fields.map(({ field }) => [field, resource[field]]));
    await client.call(place, { method: 'PATCH', body });
    return {};
  }
  if (kind === 'tenants') {
    await client.call('/v1/admin/tenants', { body: { name, ...resource } });
    return {};
  }
  const { uid, ...body } = resource;
  const path = `/v1/admin/${kind}/uid/${encodeURIComponent(String(uid))}`;
  const { body: made } = await client.call<Shown>(path, { method: 'PUT', body });
  return kind === 'sources' ? { url: made.url } : { secret: resource.secret === undefined ? made.secret : undefined };
}
