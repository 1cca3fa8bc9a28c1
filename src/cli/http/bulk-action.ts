import { randomUUID } from 'node:crypto';
import type { Cli } from '../cli';
import { usageError } from '../cli-error';
import type { ApiClient } from './api-client';
import { itemLimit } from './pages';

/** The options of commands that change many things at once. */
export interface BulkOptions {
  all?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  note?: string;
  limit?: string;
}

interface BulkCounts {
  matched: number;
  more?: boolean;
  skipped?: number;
  actionId?: string | null;
  [count: string]: unknown;
}

export interface BulkAction {
  path: string;
  /** The filter as the API takes it. */
  filter: Record<string, string | string[]>;
  /** Fields of the request that are no filter. */
  also?: Record<string, unknown>;
  /** What is done to what, such as `Retry` and `dead letters`. */
  verb: string;
  things: string;
  /** The count of the response that says how many were changed, such as `retried`. */
  done: string;
  /** Whether those that were named one by one are changed without a question. */
  asksAlways?: boolean;
  /** Prints more of the dry run, such as its preview. */
  preview?: (dryRun: BulkCounts) => void;
}

/** Counts first, asks, and then acts with an idempotency key. */
export async function actInBulk(cli: Cli, client: ApiClient, options: BulkOptions, action: BulkAction): Promise<void> {
  const body = bulkBody(options, action);
  const { path, verb, things } = action;
  const namesEach = action.filter.eventIds !== undefined || action.filter.ids !== undefined;
  const asks = action.asksAlways === true || !namesEach;
  if (asks || options.dryRun === true) {
    const { text, body: dryRun } = await client.call<BulkCounts>(path, { body: { ...body, dryRun: true } });
    if (options.dryRun === true || dryRun.matched === 0)
      return cli.out.result(text, () => showDryRun(cli, action, dryRun));
    if (!cli.out.isJson) showDryRun(cli, action, dryRun);
    if (!(await cli.confirm(`${verb} ${dryRun.matched} ${things}?`, options.yes))) {
      return cli.out.note('Nothing was changed.');
    }
  }
  const headers = { 'idempotency-key': randomUUID() };
  const { text, body: done } = await client.call<BulkCounts>(path, { body, headers });
  cli.out.result(text, () => {
    const skipped = (done.skipped ?? 0) > 0 ? `, ${done.skipped} skipped` : '';
    cli.out.line(`${String(done[action.done])} of ${done.matched} ${things} ${action.done}${skipped}`);
    if (typeof done.actionId === 'string') cli.out.note(`Action ${done.actionId}`);
  });
}

/**
 * The tenant that one works with limits the action, but is no filter that somebody has chosen.
 * @throws CliError unless there is a filter, or `--all` in its place
 */
function bulkBody(options: BulkOptions, { filter, also, things }: BulkAction): Record<string, unknown> {
  const chosen = Object.keys(filter).filter((name) => name !== 'tenantId');
  if (chosen.length === 0 && options.all !== true) {
    throw usageError(`Name the ${things} by their ids or a filter, or say --all.`);
  }
  if (chosen.length > 0 && options.all === true) {
    throw usageError(`Say --all or a filter, but not both. The filter is: ${chosen.join(', ')}.`);
  }
  return {
    ...filter,
    ...(Object.keys(filter).length === 0 ? { all: true } : {}),
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(options.limit === undefined ? {} : { limit: itemLimit(options.limit, 1_000) }),
    ...also,
  };
}

function showDryRun(cli: Cli, { things, preview }: BulkAction, dryRun: BulkCounts): void {
  const more = dryRun.more === true ? ' There are more than one action changes; run the command again afterwards.' : '';
  cli.out.note(`${dryRun.matched} ${things} match.${more}`);
  preview?.(dryRun);
}
