import type { Command } from 'commander';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import { envelopeText, hasEventOptions, type EventOptions } from '../input/envelope';
import { givenText } from '../input/given-text';
import { jsonText } from '../input/json-text';
import { moment } from '../input/moment';

interface SendOptions extends EventOptions {
  key?: string;
}

/** The response to one event, or to several. */
interface Sent {
  status: string;
  id?: string;
  duplicate?: boolean;
  summary?: { records: number; accepted: number; duplicates: number; rejected: number };
  errors?: { record: number; code: string; message: string }[];
}

const EXAMPLES = `
Examples:
  streamforge send --tenant demo --type sale.completed --subject order-1 --payload '{"amount":10.10}'
  streamforge send --tenant demo '{"eventType":"sale.completed","subject":"order-1","payload":null}'
  streamforge send --tenant demo - < event.json
  streamforge send --tenant demo --type report.made --subject july --payload @report.json`;

export const addSend: Adding = (program: Command, run) => {
  program
    .command('send')
    .description('send one event, or a JSON array of events')
    .argument('[envelope]', 'the envelope as JSON, @file, or - for standard input')
    .option('--type <type>', 'event type')
    .option('--subject <subject>', 'what the event is about')
    .option('--payload <json>', 'payload as JSON, @file, or - for standard input')
    .option('--event-id <id>', "the producer's id of the event, by which it is stored once")
    .option('--occurred-at <time>', 'when it happened')
    .option('--source <source>', 'where it comes from')
    .option('--partition-key <key>', 'what it is ordered by (default: the subject)')
    .option('--key <key>', 'idempotency key: send the same again with the same key, and it is stored once')
    .addHelpText('after', EXAMPLES)
    .action(run<SendOptions>(send));
};

async function send(cli: Cli, options: SendOptions, [envelope]: string[]): Promise<void> {
  const body = await bodyOf(cli, options, envelope);
  const client = await cli.producer();
  const headers = { 'x-idempotency-key': options.key };
  const { text, body: sent } = await client.call<Sent>('/v1/events', { body, headers, expected: [422] });
  if (sent.summary === undefined && sent.id === undefined)
    throw new CliError(`The response has no id: ${text}`, EXIT.failed);
  cli.out.result(text, () => show(cli, sent));
  if (sent.summary !== undefined && sent.summary.rejected > 0) {
    throw new CliError(`${sent.summary.rejected} of ${sent.summary.records} events were rejected.`, EXIT.partly);
  }
}

async function bodyOf(cli: Cli, options: SendOptions, envelope: string | undefined): Promise<string> {
  const { type, subject, payload, eventId, occurredAt, source, partitionKey } = options;
  if (envelope !== undefined) {
    if (hasEventOptions(options)) throw usageError('Give the envelope, or the options of its fields, but not both.');
    return jsonText(await givenText(cli, envelope), 'The envelope');
  }
  if (!hasEventOptions(options) && cli.around.stdin.isTTY !== true) {
    return jsonText(await cli.input(), 'The envelope on standard input');
  }
  const given = payload === undefined ? undefined : await givenText(cli, payload);
  return envelopeText({
    ...{ type, subject, payload: given, eventId, source, partitionKey },
    occurredAt: occurredAt === undefined ? undefined : moment(occurredAt),
  });
}

function show(cli: Cli, { status, id, summary, errors = [] }: Sent): void {
  if (summary === undefined) return cli.out.line(`${cli.out.state(status)} ${id}`);
  const { records, accepted, duplicates, rejected } = summary;
  cli.out.line(`${records} events: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected`);
  for (const { record, code, message } of errors) cli.out.note(`  ${record}: ${message} (${code})`);
}
