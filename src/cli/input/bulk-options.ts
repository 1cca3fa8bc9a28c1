import type { Command } from 'commander';

/** Adds the options of commands that change many things at once. */
export function addBulk(command: Command): Command {
  return command
    .option('--all', 'all of them (of your tenant, without --all-tenants)')
    .option('--limit <n>', 'at most so many, the newest')
    .option('--note <text>', 'reason, for the audit trail')
    .option('--dry-run', 'only count')
    .option('-y, --yes', 'do it without being asked');
}

/** The filter of ids that were named one by one. */
export const idsFilter = (name: 'eventIds' | 'ids', ids: string[]): Record<string, string[]> =>
  ids.length === 0 ? {} : { [name]: ids };
