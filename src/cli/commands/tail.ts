import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT } from '../cli-error';
import { failureOf } from '../http/problem-text';
import { itemLimit } from '../http/pages';
import { serverSentEvents, type ServerSentEvent } from '../http/server-sent-events';
import { addFilter, filterOf, type FilterOptions } from '../input/filter-options';
import { printable } from '../terminal/printable';

interface TailedEvent {
  id: string;
  tenantId: string;
  type: string;
  subject: string;
  receivedAt: string;
  status: string | null;
}

type TailOptions = FilterOptions & { text?: string; limit?: string };

/** Waits before the stream is opened again. The last one is repeated. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000];

export const addTail: Adding = (program: Command, run) => {
  addFilter(program.command('tail').description('watch events as they come'), ['type', 'source', 'sourceId'])
    .option('--text <text>', 'text in the ids or the subject')
    .option('--limit <n>', 'end after so many events')
    .action(run<TailOptions>(tail));
};

/** Watches until Ctrl C or the limit. Connects again when the connection is lost, and says so. */
async function tail(cli: Cli, options: TailOptions): Promise<void> {
  const client = await cli.operator();
  const query = { ...filterOf(options, cli.connection.tenant), text: options.text };
  const feed = new Feed(cli, options.limit === undefined ? Infinity : itemLimit(options.limit, 1));
  const signal = cli.around.interrupted;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await client.open('/v1/admin/live', { query, headers: { accept: 'text/event-stream' }, signal });
      failures = 0;
      for await (const event of serverSentEvents(response.body as AsyncIterable<Uint8Array>)) {
        if (feed.take(event)) return; // which closes the connection
      }
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof CliError && error.exitCode !== EXIT.unavailable) throw error;
      if (failures === 0 && !feed.isConnected) throw error;
    }
    cli.out.note('The connection was lost. Events may be missing here; "streamforge events" has all of them.');
    await sleep(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)], undefined, { signal });
  }
}

class Feed {
  /** Whether it has ever been connected. */
  isConnected = false;
  private shown = 0;

  constructor(
    private readonly cli: Cli,
    private readonly limit: number,
  ) {}

  /** Shows what has come. Returns true at the limit. @throws CliError when the server has ended the stream with a problem */
  take({ event, data }: ServerSentEvent): boolean {
    const body = JSON.parse(data) as Record<string, unknown>;
    if (event === 'ready') this.ready();
    else if (event === 'events') return (body.events as TailedEvent[]).some((one) => this.show(one));
    else if (event === 'statuses')
      (body.statuses as { id: string; status: string | null }[]).forEach((s) => this.status(s));
    else if (event === 'dropped') this.cli.out.note('Events were left out, because more came than are shown.');
    else if (event === 'end') throw failureOf(Number(body.status ?? 503), body, null);
    return false;
  }

  private ready(): void {
    this.cli.out.note(this.isConnected ? 'Connected again.' : 'Watching. Ctrl C ends it.');
    this.isConnected = true;
  }

  private show(event: TailedEvent): boolean {
    const { receivedAt, id, tenantId, type, subject, status } = event;
    const { out } = this.cli;
    out.result({ event }, () =>
      out.line([receivedAt, id, ...[tenantId, type, subject].map(printable), out.state(status ?? '-')].join('  ')),
    );
    this.shown += 1;
    return this.shown >= this.limit;
  }

  private status({ id, status }: { id: string; status: string | null }): void {
    if (status === null) return;
    const { out } = this.cli;
    out.result({ status: { id, status } }, () => out.line(`${' '.repeat(24)}  ${id}  ${out.state(status)}`));
  }
}
