import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { currentOf } from '../apply/current';
import { yamlOf } from '../apply/document';
import { exportedOf } from '../apply/export-resources';

export const addExport: Adding = (program: Command, run) => {
  program
    .command('export')
    .description('print tenants, sources and destinations as YAML for "apply"; secrets become references')
    .option('--all-tenants', 'not only those of your tenant')
    .action(run<{ allTenants?: boolean }>(exportAll));
};

async function exportAll(cli: Cli, { allTenants }: { allTenants?: boolean }): Promise<void> {
  const tenant = allTenants ? undefined : cli.connection.tenant;
  const { current, nameless } = await currentOf(await cli.operator(), tenant);
  const exported = exportedOf(current);
  cli.out.result(exported, () => cli.out.line(yamlOf(exported).trimEnd()));
  if (nameless > 0)
    cli.out.note(`Left out ${nameless} sources and destinations that have no uid: make them anew with one.`);
}
