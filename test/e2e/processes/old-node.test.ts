import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const SEEM_OLD = path.join(ROOT, 'test/support/processes/seem-old.js');
const GUARD = path.join(ROOT, 'dist/src/runtime/require-node.js');
const ENTRIES = ['main.js', ...fs.globSync('commands/*.ts', { cwd: path.join(ROOT, 'src') }).map(compiledName)].map(
  (name) => path.join(ROOT, 'dist/src', name),
);
const ONE_SENTENCE =
  /^StreamForge needs Node\.js 22\.15 or newer, but this is v\S+ \([^)]+\).*: install Node\.js 24, .*\.\n$/;

function compiledName(file: string): string {
  return file.replace(/\.ts$/, '.js');
}

/** Real ones of this machine; there may be none. */
function oldNodesOnPath(): string[] {
  const candidates = (process.env.PATH ?? '').split(path.delimiter).map((directory) => path.join(directory, 'node'));
  return candidates.filter((file) => {
    if (!fs.existsSync(file)) return false;
    const [major] = execFileSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.').map(Number);
    return (major as number) < 22;
  });
}

describe('a Node.js that is too old', () => {
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-old-node-')); // without a .env
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  const run = (node: string, args: string[], more: Record<string, string> = {}, cwd = directory) =>
    spawnSync(node, args, {
      cwd,
      env: { PATH: process.env.PATH, STREAMFORGE_DATA_DIR: path.join(directory, 'data'), ...more },
      encoding: 'utf8',
    });
  const expectRefused = ({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }) => {
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(ONE_SENTENCE) as string,
    });
    expect(fs.existsSync(path.join(directory, 'data'))).toBe(false);
  };

  it.each(ENTRIES.map((entry) => [path.relative(ROOT, entry), entry] as const))(
    'is refused by %s before anything else is loaded',
    (_name, entry) => {
      for (const seems of ['version,json,zstd', 'version', 'json', 'zstd']) {
        const loaded = path.join(directory, 'loaded.json');
        expectRefused(run(process.execPath, ['--require', SEEM_OLD, entry], { SEEM_OLD: seems, LOADED_FILES: loaded }));
        expect(JSON.parse(fs.readFileSync(loaded, 'utf8'))).toEqual([SEEM_OLD, entry, GUARD]);
      }
      for (const node of oldNodesOnPath()) expectRefused(run(node, [entry]));
    },
  );

  it.each([
    'scripts/verify.mjs',
    'scripts/sensitivity.mjs',
    'bench/bench.ts',
    'bench/outbox.ts',
    'bench/admin-lists.ts',
    'bench/load-events.ts',
    'bench/load-stream.ts',
    'bench/server.ts',
  ])('is refused by %s', (entry) => {
    const env = { SEEM_OLD: 'json', LOADED_FILES: path.join(directory, 'loaded.json'), NODE_NO_WARNINGS: '1' };
    expectRefused(run(process.execPath, ['--require', SEEM_OLD, path.join(ROOT, entry)], env));
  });

  it('is refused by the build, and so by every npm script that runs StreamForge', () => {
    const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const [command, ...args] = scripts.prestart?.split(' ') as [string, ...string[]];
    expect(command).toBe('node');
    const env = { SEEM_OLD: 'json', LOADED_FILES: path.join(directory, 'loaded.json') };
    expectRefused(run(process.execPath, ['--require', SEEM_OLD, ...args], env, ROOT));
    for (const node of oldNodesOnPath()) expectRefused(run(node, args, {}, ROOT));
    const running = Object.entries(scripts).filter(([, text]) => /dist\/src|bench\/|verify\.mjs/.test(text));
    expect(running.map(([name]) => name)).toEqual(expect.arrayContaining(['start', 'migrate', 'seed', 'bench']));
    for (const [name, text] of running)
      expect(`${scripts[`pre${name}`] ?? ''} ${text}`).toContain('node scripts/build.mjs --if-changed');
  });
});
