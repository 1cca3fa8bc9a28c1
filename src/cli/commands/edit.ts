import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Command } from 'commander';
import { exactValue } from '../../event/json/exact-value';
import { scanJsonObject } from '../../event/json/json-text';
import type { Adding, Cli } from '../cli';
import { CliError, EXIT, usageError } from '../cli-error';
import { givenText } from '../input/given-text';
import { jsonText } from '../input/json-text';
import { printable } from '../terminal/printable';

interface EditOptions {
  payload?: string;
  note?: string;
  retry: boolean;
  yes?: boolean;
  dryRun?: boolean;
}

interface Revised {
  revision: number;
  retried: boolean;
  diff: { op: string; path: string; value?: unknown }[];
}

/** Adds `dlq edit`. */
export const addEdit: Adding = (dlq: Command, run) => {
  dlq
    .command('edit')
    .description('give an event another payload, in your editor or from --payload, and retry it')
    .argument('<id>', "the event's id")
    .option('--payload <json>', 'the payload as JSON, @file, or - for standard input')
    .option('--no-retry', 'do not retry it')
    .option('--note <text>', 'reason, for the audit trail')
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'do it without being asked')
    .action(run<EditOptions>(edit));
};

async function edit(cli: Cli, options: EditOptions, [id = '']: string[]): Promise<void> {
  const client = await cli.operator();
  const given =
    options.payload === undefined ? undefined : jsonText(await givenText(cli, options.payload), 'The payload');
  const payload = given ?? (await editedPayload(cli, (await client.call(`/v1/events/${encodeURIComponent(id)}`)).text));
  if (payload === undefined) return cli.out.note('Nothing was changed.');
  const address = `/v1/admin/events/${encodeURIComponent(id)}/revisions`;
  const body = (dryRun: boolean): string => {
    const { note } = options;
    return `${JSON.stringify({ retry: options.retry, dryRun, note }).slice(0, -1)},"payload":${payload}}`;
  };
  const { text, body: planned } = await client.call<Revised>(address, { body: body(true) });
  if (options.dryRun) return cli.out.result(text, () => showDiff(cli, planned));
  if (!cli.out.isJson) showDiff(cli, planned);
  const question = options.retry ? 'Store this payload and retry the event?' : 'Store this payload?';
  if (!(await cli.confirm(question, options.yes))) return cli.out.note('Nothing was changed.');
  const revised = await client.call<Revised>(address, { body: body(false) });
  cli.out.result(revised.text, () => {
    const { revision, retried } = revised.body;
    cli.out.line(`Revision ${revision} is stored${retried ? ', and the event is retried' : ''}.`);
  });
}

function showDiff(cli: Cli, { diff }: Revised): void {
  for (const { op, path: place, value } of diff) {
    cli.out.line(printable(`${op} ${place || '(all)'}${value === undefined ? '' : ` ${JSON.stringify(value)}`}`));
  }
}

/** Opens the payload in the user's editor. Returns what was saved, or undefined if it is the same. */
async function editedPayload(cli: Cli, event: string): Promise<string | undefined> {
  const place = scanJsonObject(event).members.get('payload');
  if (place === undefined) throw new CliError('The payload is hidden from your role.', EXIT.denied);
  if (!cli.asksPeople) throw usageError('There is no terminal for an editor. Say --payload.');
  const before = JSON.stringify(exactValue(event.slice(place.start, place.end)), null, 2);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-edit-')); // readable by its owner only
  const file = path.join(folder, 'payload.json');
  try {
    fs.writeFileSync(file, `${before}\n`, { mode: 0o600 });
    await openEditor(cli, file);
    const after = jsonText(fs.readFileSync(file, 'utf8'), 'What you have saved');
    return after === before ? undefined : after;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function openEditor(cli: Cli, file: string): Promise<void> {
  const editor = cli.around.env.VISUAL ?? cli.around.env.EDITOR ?? 'vi';
  const child = spawn(`${editor} "$STREAMFORGE_FILE"`, {
    shell: true, // EDITOR may have arguments
    stdio: 'inherit',
    env: { ...cli.around.env, STREAMFORGE_FILE: file },
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) throw new CliError(`The editor (${editor}) ended with ${code}.`, EXIT.failed);
}
