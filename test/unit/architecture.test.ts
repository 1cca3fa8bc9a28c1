import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';

const ROOT = path.resolve(__dirname, '../..');

/** The paths below src that a text names, in order, each once. */
const pathsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/`(src\/[^`]+\.ts)`/g)].map(([, file]) => file as string)),
];

/** The lists of "Life of an event": each begins at a heading or at a paragraph outside of the list before it. */
function readWalks(): { title: string; files: string[] }[] {
  const page = readFileSync(path.join(ROOT, 'docs/architecture.md'), 'utf8');
  const life = /## Life of an event\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
  return life
    .split(/^### /m)
    .slice(1)
    .map((section) => ({ title: section.slice(0, section.indexOf('\n')), files: pathsIn(section) }));
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => `${path.posix.join(path.posix.dirname(file), fileName)}.ts`);
}

/** Files that nothing before them in the list imports; the entries of the list apart. */
function unreached(files: readonly string[], entries: readonly string[]): string[] {
  return files.filter(
    (file, i) => !entries.includes(file) && !files.slice(0, i).some((above) => importsOf(above).includes(file)),
  );
}

/** Where a process picks the event up. */
const ENTRIES = [
  'src/ingest/events.controller.ts',
  'src/ingest/stream/stream.controller.ts',
  'src/sources/source-gate.ts',
  'src/sources/sources.controller.ts',
  'src/outbox/publisher.ts',
  'src/worker/worker.module.ts',
  'src/outbox/chores.ts',
  'src/ingest/event-reader.ts',
  'src/admin/admin.module.ts',
  'src/worker/crashes/poison-detector.ts',
];

describe('the life of an event in docs/architecture.md', () => {
  const walks = readWalks();

  it('has a list for each process that an event passes', () => {
    expect(walks.length).toBeGreaterThanOrEqual(6);
  });

  it.each(walks)('$title: names files that exist', ({ files }) => {
    expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  it.each(walks)('$title: names each file after one that imports it', ({ files }) => {
    expect(unreached(files, ENTRIES)).toEqual([]);
  });

  it('finds a file that nothing above it imports', () => {
    expect(unreached(['src/outbox/publisher.ts', 'src/ingest/event-reader.ts'], ['src/outbox/publisher.ts'])).toEqual([
      'src/ingest/event-reader.ts',
    ]);
  });
});
