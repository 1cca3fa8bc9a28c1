import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';

const SRC = path.resolve(__dirname, '../../src');

const FEATURES = ['ingest', 'sources', 'outbox', 'worker', 'deliveries', 'admin', 'operations', 'operator-events'];
const FOUNDATIONS = ['db', 'expressions', 'redis', 'broker', 'http', 'integrity', 'observability', 'runtime'];
/** What SHARED builds on: the payloads of an event. */
const REVISIONS = 'revisions';
/** What several features share and is more than a foundation: where an event stands, who may, what was done, where events go, what was measured. */
const SHARED = [
  'event-state',
  'delivery-state',
  'access',
  'audit',
  'destinations',
  'rejections',
  'metric-rollup',
  'usage',
  'silence',
];
/** A source stores what it takes as ingest does, operators look after sources and see what operator events were raised for, a worker hands over what it settled, and operator events are stored as any other, and destinations have quiet hours. */
const ALSO_MAY_IMPORT: Record<string, string[]> = {
  sources: ['ingest'],
  admin: ['sources', 'ingest', 'operator-events'],
  worker: ['deliveries'],
  'operator-events': ['ingest'],
  destinations: ['silence'],
};

/** What the files of a folder may import of ours, besides their own folder. */
const MAY_IMPORT: Record<string, string[]> = {
  event: [],
  config: ['event'],
  ...Object.fromEntries(FOUNDATIONS.map((folder) => [folder, ['event', 'config', ...FOUNDATIONS]])),
  // Talks to an installation from outside, by its API alone.
  cli: ['event', 'runtime'],
  // Seals its key as the secrets of destinations are sealed.
  installation: ['config', 'destinations', ...FOUNDATIONS],
  [REVISIONS]: ['event', 'config', ...FOUNDATIONS],
  ...Object.fromEntries(
    SHARED.map((folder) => [
      folder,
      ['event', 'config', ...FOUNDATIONS, REVISIONS, ...(ALSO_MAY_IMPORT[folder] ?? [])],
    ]),
  ),
  ...Object.fromEntries(
    FEATURES.map((folder) => [
      folder,
      ['event', 'config', ...FOUNDATIONS, REVISIONS, ...SHARED, ...(ALSO_MAY_IMPORT[folder] ?? [])],
    ]),
  ),
};

/** Where everything comes together: these may import from anywhere, and nobody else may import them. */
const isRoot = (file: string): boolean =>
  ['app.module.ts', 'create-app.ts', 'main.ts'].includes(file) || file.startsWith('commands/');

/** File → what it imports of ours, as paths below src ending in .ts. Packages are left out. */
type Imports = Map<string, string[]>;

const folderOf = (file: string): string => (isRoot(file) ? 'the root' : (file.split('/')[0] as string));

function importsOf(file: string, text: string): string[] {
  const names = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  return names
    .filter((name) => name.startsWith('.') && !name.endsWith('.json'))
    .map((name) => `${path.posix.join(path.posix.dirname(file), name)}.ts`);
}

function breachesOfLayers(imports: Imports): string[] {
  return [...imports].flatMap(([file, targets]) => {
    const folder = folderOf(file);
    if (isRoot(file)) return [];
    const allowed = MAY_IMPORT[folder];
    if (!allowed) return [`${file} is in a folder without a layer`];
    const ofOurs = folder === 'event' ? targets : targets.filter((target) => !target.startsWith('../migrations/'));
    return ofOurs
      .filter((target) => folderOf(target) !== folder && !allowed.includes(folderOf(target)))
      .map((target) => `${file} imports ${target}`);
  });
}

function cycles(imports: Imports): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (trail.includes(file) || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

/** A file of nothing but imports and what it exports of other files. */
function isBarrel(text: string): boolean {
  const { statements } = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest);
  return (
    statements.some(ts.isExportDeclaration) &&
    statements.every((s) => ts.isExportDeclaration(s) || ts.isImportDeclaration(s))
  );
}

const exportedNames = (text: string): string[] =>
  [...text.matchAll(/^export (?:abstract |async )?(?:class|function|const|interface|type) (\w+)/gm)].map(
    ([, name]) => name as string,
  );

const texts = new Map(
  globSync('**/*.{ts,js}', { cwd: SRC }).map((file) => [file, readFileSync(path.join(SRC, file), 'utf8')] as const),
);
/** All files are TypeScript but for the guard that must run on an old Node.js and what the process of expressions loads. */
const existing = (target: string): string => (texts.has(target) ? target : target.replace(/\.ts$/, '.js'));
const imports: Imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text).map(existing)]));

describe('the imports of src', () => {
  it('point down: features, then what they share, then foundations, then config, then event', () => {
    expect(breachesOfLayers(imports)).toEqual([]);
  });

  it('form no cycle', () => {
    expect(cycles(imports)).toEqual([]);
  });

  it('lead to where a thing is made: there are no barrels', () => {
    expect([...texts].filter(([, text]) => isBarrel(text)).map(([file]) => file)).toEqual([]);
  });

  it('never lead to two things of one name', () => {
    const filesOf = Map.groupBy(
      [...texts].flatMap(([file, text]) => exportedNames(text).map((name) => ({ name, file }))),
      ({ name }) => name,
    );
    expect([...filesOf.values()].filter((places) => places.length > 1)).toEqual([]);
  });

  it('are all seen by this test', () => {
    expect(imports.size).toBeGreaterThan(50);
    expect(imports.get('app.module.ts')).toContain('ingest/ingest.module.ts');
    const targets = [...imports.values()].flat().filter((target) => !target.startsWith('../'));
    expect(targets.filter((target) => !texts.has(target))).toEqual([]);
  });
});

describe('a breach is found:', () => {
  it.each([
    ['a feature that imports a feature', 'ingest/a.ts', 'outbox/b.ts'],
    ['event importing config', 'event/a.ts', 'config/b.ts'],
    ['event importing a migration', 'event/a.ts', '../migrations/b.ts'],
    ['config importing a foundation', 'config/a.ts', 'db/b.ts'],
    ['a foundation that imports a feature', 'http/a.ts', 'worker/handlers/b.ts'],
    ['what features share importing a feature', 'destinations/a.ts', 'worker/b.ts'],
    ['a foundation that imports what features share', 'http/a.ts', 'destinations/b.ts'],
    ['the event states importing a feature', 'event-state/a.ts', 'outbox/b.ts'],
    ['a foundation that imports who may', 'http/a.ts', 'access/b.ts'],
    ['anything that imports the root', 'admin/a.ts', 'app.module.ts'],
    ['a command used as a library', 'admin/a.ts', 'commands/b.ts'],
  ])('%s', (_what, file, target) => {
    expect(breachesOfLayers(new Map([[file, [target]]]))).toEqual([`${file} imports ${target}`]);
  });

  it('a folder that nobody gave a layer', () => {
    expect(breachesOfLayers(new Map([['shared/a.ts', []]]))).toHaveLength(1);
  });

  it.each([
    "import { b } from './b';",
    "import type { B } from './b';",
    "import {\n  b,\n} from './b';",
    "import './b';",
    "export { b } from './b';",
    "const b = await import('./b');",
    "const b = require('./b');",
  ])('%j counts as an import', (line) => {
    expect(importsOf('ingest/a.ts', line)).toEqual(['ingest/b.ts']);
  });

  it('a cycle', () => {
    const graph = { 'a.ts': ['b.ts'], 'b.ts': ['c.ts'], 'c.ts': ['b.ts'], 'd.ts': ['b.ts'] };
    expect(cycles(new Map(Object.entries(graph)))).toEqual(['b.ts → c.ts → b.ts']);
  });

  it('a barrel', () => {
    expect(isBarrel("export * from './a';\nexport { b } from './b';")).toBe(true);
    expect(isBarrel("import { a } from './a';\nexport { a };")).toBe(true);
    expect(isBarrel("export * from './a';\nexport const b = 1;")).toBe(false);
  });
});
