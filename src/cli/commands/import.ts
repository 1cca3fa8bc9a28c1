import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { elapsedMs } from '../../event/elapsed-time';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import type { ApiClient } from '../http/api-client';
import { failureOf, type ShownProblem } from '../http/problem-text';
import { fileChunks, type FileChunk } from '../import/chunks';
import {
  atStart,
  forgetProgress,
  progressPath,
  readImportProgress,
  tailOf,
  writeImportProgress,
  type ImportProgress,
} from '../import/progress';
import { printable } from '../terminal/printable';

interface ImportOptions {
  resume?: boolean;
  rejected?: string;
  retryFor: string;
}

/** One line of the response: a record, or the end. */
type Line = { record: number; status: string; code?: string; message?: string } | { summary: Counts } | ShownProblem;

interface Counts {
  accepted: number;
  duplicates: number;
  rejected: number;
}

/** Waits before a chunk is sent again. The last one is repeated. */
const WAITS_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
/** The server reads slowly where the tenant has used up its limit, for at most STREAM_PACE_MAX_SECONDS. */
const PACED_MS = 3_660_000;
/** So many rejections are shown; `--rejected` keeps all. */
const MOST_SHOWN = 20;

export const addImport: Adding = (program: Command, run) => {
  program
    .command('import')
    .description('send a file of events, one JSON envelope a line; sending it again stores nothing twice')
    .argument('<file>', 'NDJSON file')
    .option('--resume', 'go on where the last import of this file stopped')
    .option('--rejected <file>', 'write what was rejected, and why, to this file as NDJSON')
    .option('--retry-for <seconds>', 'for how long to try again when the server cannot be reached', '300')
    .action(run<ImportOptions>(importFile));
};

async function importFile(cli: Cli, options: ImportOptions, [name = '']: string[]): Promise<void> {
  const file = path.resolve(name);
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) throw usageError(`${name} is no file.`);
  const client = await cli.producer();
  const { url, tenant } = cli.connection;
  const place = progressPath(cli.around.env, { url, tenant, file });
  const progress = startOf(cli, options, file, place);
  const sending = new Sending(cli, client, retryForMs(options), options.rejected);
  const bytes = fs.createReadStream(file, { start: progress.offset }) as AsyncIterable<Buffer>;
  for await (const chunk of fileChunks(bytes, progress)) {
    const { accepted, duplicates, rejected } = await sending.send(chunk);
    progress.accepted += accepted;
    progress.duplicates += duplicates;
    progress.rejected += rejected;
    progress.records += chunk.records;
    progress.offset = chunk.end;
    progress.tail = tailOf(file, chunk.end);
    writeImportProgress(place, progress);
    if (cli.around.stderr.isTTY === true) cli.around.stderr.write(`\r${progress.records} records`);
  }
  forgetProgress(place);
  const { records, accepted, duplicates, rejected } = progress;
  if (cli.around.stderr.isTTY === true) cli.out.note('');
  cli.out.result({ records, accepted, duplicates, rejected }, () =>
    cli.out.line(`${records} records: ${accepted} accepted, ${duplicates} duplicates, ${rejected} rejected`),
  );
  if (rejected > 0) throw new CliError(`${rejected} of ${records} records were rejected.`, EXIT.partly);
}

function startOf(cli: Cli, { resume, rejected }: ImportOptions, file: string, place: string): ImportProgress {
  const known = readImportProgress(place);
  if (resume !== true || known === undefined) {
    if (rejected !== undefined) fs.writeFileSync(rejected, '');
    if (known !== undefined)
      cli.out.note(`An import of this file stopped after ${known.records} records; --resume goes on there.`);
    else if (resume === true) cli.out.note('No import of this file has stopped: starting from the beginning.');
    return atStart(file);
  }
  if (fs.statSync(file).size < known.offset || tailOf(file, known.offset) !== known.tail) {
    throw usageError(`${file} has changed since the import stopped. Leave --resume out to start from the beginning.`);
  }
  cli.out.note(`Going on after ${known.records} records.`);
  return known;
}

function retryForMs({ retryFor }: ImportOptions): number {
  if (/^\d{1,6}$/.test(retryFor)) return Number(retryFor) * 1_000;
  throw usageError(`--retry-for ${retryFor} must be a number of seconds.`);
}

/** Sends chunks, each until it is answered. */
class Sending {
  private shown = 0;

  constructor(
    private readonly cli: Cli,
    private readonly client: ApiClient,
    private readonly retryForMs: number,
    private readonly rejectedFile: string | undefined,
  ) {}

  /** @throws CliError when the server refuses the chunk, or cannot be reached for too long */
  async send(chunk: FileChunk): Promise<Counts> {
    const sinceMs = elapsedMs();
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.sendOnce(chunk);
      } catch (error) {
        const waitMs = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 0;
        const isOver = elapsedMs() - sinceMs + waitMs > this.retryForMs;
        if (!(error instanceof CliError) || error.exitCode !== EXIT.unavailable) throw error;
        if (isOver) throw new CliError(`${error.message} Run it again with --resume.`, error.exitCode, error.facts);
        this.cli.out.note(`${error.message} Trying again in ${waitMs / 1_000} seconds.`);
        await sleep(waitMs, undefined, { signal: this.cli.around.interrupted });
      }
    }
  }

  private async sendOnce({ bytes, firstRecord, records }: FileChunk): Promise<Counts> {
    if (records === 0) return { accepted: 0, duplicates: 0, rejected: 0 };
    const { text, headers } = await this.client.call('/v1/ingest/stream', {
      body: bytes,
      headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
      signal: this.cli.around.interrupted,
      timeoutMs: PACED_MS,
    });
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Line); // prettier-ignore
    const last = lines.pop() ?? {};
    if (!('summary' in last) || 'type' in last) {
      const problem = last as ShownProblem;
      throw failureOf(problem.status ?? 503, problem, headers.get('x-correlation-id'));
    }
    for (const line of lines) if ('record' in line && line.status === 'rejected') this.refused(line, firstRecord);
    return last.summary;
  }

  private refused(
    { record, code, message, ...rest }: { record: number; code?: string; message?: string },
    first: number,
  ): void {
    const number = first + record - 1;
    if (this.rejectedFile !== undefined) {
      fs.appendFileSync(this.rejectedFile, `${JSON.stringify({ ...rest, record: number, code, message })}\n`);
    }
    this.shown += 1;
    if (this.shown <= MOST_SHOWN) this.cli.out.note(printable(`record ${number}: ${message} (${code})`));
    if (this.shown === MOST_SHOWN + 1) this.cli.out.note('More were rejected. "streamforge rejections" has them.');
  }
}
