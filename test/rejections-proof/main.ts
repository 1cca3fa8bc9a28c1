import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Report } from '../deliveries-proof/report';
import { startTestApp } from '../support/app';
import { createTestDatabase } from '../support/database';
import globalSetup from '../support/jest/global-setup';
import globalTeardown from '../support/jest/global-teardown';
import { sendingsOf, type Corpus } from './corpora';
import { readFolder } from './folder';
import { hostileSendings } from './hostile';
import { prove } from './prove';
import { createSource } from './source';

const USAGE = `Usage: npm run rejections:proof -- FOLDER…
Proves that every record of the files below the folders becomes an event or a duplicate, or is found again as a rejection.
Files *.ndjson and *.xml hold events, one a line or <event>: every seventh is broken. Each line of a cases.jsonl is a request,
and each *.json a text that is sent as an event. Exit code 0: every record is accounted for. 1: one is not.
`;
const WRONG_USAGE = 2;
const MAX_EVENT_BYTES = 262_144;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean' } } });
  if (values.help || positionals.length === 0 || !positionals.every((path) => existsSync(path))) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  await globalSetup();
  try {
    const database = await createTestDatabase();
    const running = await startTestApp(database.url, { APP_ROLE: 'api', MAX_EVENT_BYTES: String(MAX_EVENT_BYTES) });
    const passed = await proveAll(running.url, positionals);
    await running.close();
    await database.drop();
    say(passed ? 'PASS' : 'FAIL');
    return passed ? 0 : 1;
  } finally {
    await globalTeardown();
  }
}

async function proveAll(url: string, paths: readonly string[]): Promise<boolean> {
  const folders = paths.map(readFolder);
  const parts = folders.flatMap(({ corpora }) => corpora.map((corpus) => () => proveCorpus(url, corpus)));
  parts.push(() => proveHostile('hostile requests', url, hostileSendings()));
  parts.push(() =>
    proveHostile(
      'hostile requests of the folders',
      url,
      folders.flatMap(({ hostile }) => hostile),
    ),
  );
  let passed = true;
  for (const part of parts) passed = (await part()) && passed;
  return passed;
}

async function proveCorpus(url: string, corpus: Corpus): Promise<boolean> {
  const report = new Report(`${corpus.name}.${corpus.format}, ${corpus.records.length} events`, say);
  const source = await createSource(url, `${corpus.name}-${corpus.format}-source`);
  await prove(url, sendingsOf(corpus, source, MAX_EVENT_BYTES), report);
  return report.hasPassed;
}

async function proveHostile(name: string, url: string, sendings: Parameters<typeof prove>[1]): Promise<boolean> {
  const report = new Report(name, say);
  await prove(url, sendings, report);
  return report.hasPassed;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void globalTeardown().finally(() => process.exit(1)));
}
// Exit even if sockets or child processes are still open.
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
