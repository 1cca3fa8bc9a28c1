import type { Command } from 'commander';
import { moment } from './moment';

/** The options of the one filter of lists and bulk actions (docs/operators.md). */
export interface FilterOptions {
  tenant?: string;
  allTenants?: boolean;
  status?: string;
  type?: string;
  subject?: string;
  partitionKey?: string;
  source?: string;
  sourceId?: string;
  destination?: string;
  reason?: string;
  statusClass?: string;
  group?: string;
  code?: string;
  correlationId?: string;
  from?: string;
  to?: string;
}

type FilterName = Exclude<keyof FilterOptions, 'tenant' | 'allTenants'>;

const FLAGS: Record<FilterName, [flag: string, does: string]> = {
  status: ['--status <status>', 'status'],
  type: ['--type <type>', 'event type, or a prefix that ends with *'],
  subject: ['--subject <subject>', 'subject'],
  partitionKey: ['--partition-key <key>', 'partition key'],
  source: ['--source <source>', 'source of the event'],
  sourceId: ['--source-id <id>', 'id of the source'],
  destination: ['--destination <id>', 'id of a destination that the event goes to'],
  reason: ['--reason <code>', 'reason code, such as HTTP_5XX'],
  statusClass: ['--status-class <class>', '2xx, 3xx, 4xx, 5xx or none'],
  group: ['--group <id>', 'id of a group'],
  code: ['--code <code>', 'code of the rejection'],
  correlationId: ['--correlation-id <id>', 'correlation id'],
  from: ['--from <time>', 'received at or after: 2026-11-24T04:08Z, or how long ago, such as 2h'],
  to: ['--to <time>', 'received before'],
};

/** The name in the API, where it differs. */
const API_NAMES: Partial<Record<FilterName, string>> = { destination: 'destinationId', reason: 'reasonCode' };

export function addFilter(command: Command, names: readonly FilterName[]): Command {
  for (const name of names) command.option(...FLAGS[name]);
  return command.option('--all-tenants', 'not only those of your tenant');
}

/** The filter as the API takes it. `tenant` is the one that the user works with. */
export function filterOf(options: FilterOptions, tenant: string | undefined): Record<string, string> {
  const named = (Object.keys(FLAGS) as FilterName[]).flatMap((name) => {
    const value = options[name];
    if (value === undefined) return [];
    return [[API_NAMES[name] ?? name, name === 'from' || name === 'to' ? moment(value) : value] as const];
  });
  return {
    ...(tenant === undefined || options.allTenants === true ? {} : { tenantId: tenant }),
    ...Object.fromEntries(named),
  };
}
