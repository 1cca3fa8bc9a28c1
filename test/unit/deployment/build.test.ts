import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const COPIED = ['scripts/build.mjs', 'scripts/options.mjs', 'src/runtime/require-node.js'];
const COMPILER = 'node_modules/@nestjs/cli/bin/nest.js';
const BUNDLER = 'node_modules/vite/bin/vite.js';
/** Stands for the compiler of Nest: it writes what the real one writes, and counts its runs. */
const COUNTING_COMPILER = `
  const fs = require('node:fs');
  fs.mkdirSync('dist/src', { recursive: true });
  fs.writeFileSync('dist/src/main.js', fs.readFileSync('src/main.ts'));
  fs.writeFileSync('dist/.tsbuildinfo', '');
  fs.appendFileSync('runs', 'x');
`;

/** Stands for Vite: it writes the page of the console. */
const COPYING_BUNDLER = `
  const fs = require('node:fs');
  fs.mkdirSync('dist/console', { recursive: true });
  fs.writeFileSync('dist/console/index.html', fs.readFileSync('console/index.html'));
`;

describe('scripts/build.mjs', () => {
  let tree: string;
  beforeEach(() => {
    tree = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-build-'));
    for (const file of COPIED) write(file, fs.readFileSync(path.join(ROOT, file), 'utf8'));
    for (const file of ['nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'migrations/1.ts']) write(file, '');
    write('src/main.ts', 'first');
    write('console/index.html', 'page');
    write(COMPILER, COUNTING_COMPILER);
    write(BUNDLER, COPYING_BUNDLER);
  });
  afterEach(() => fs.rmSync(tree, { recursive: true }));

  function write(file: string, text: string): void {
    fs.mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    fs.writeFileSync(path.join(tree, file), text);
  }
  function build(...args: string[]): { status: number | null; stderr: string } {
    return spawnSync(process.execPath, ['scripts/build.mjs', ...args], { cwd: tree, encoding: 'utf8' });
  }
  function runsOfCompiler(): number {
    const file = path.join(tree, 'runs');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').length : 0;
  }

  it('builds with --if-changed only when something has changed, and says why', () => {
    expect(build('--if-changed')).toMatchObject({ status: 0, stderr: 'Building dist/: there is no dist/ yet.\n' });
    expect(build('--if-changed')).toMatchObject({ status: 0, stderr: '' });
    fs.utimesSync(path.join(tree, 'src/main.ts'), new Date(), new Date());
    expect(build('--if-changed')).toMatchObject({ status: 0, stderr: '' });
    expect(runsOfCompiler()).toBe(1);
    for (const file of ['src/main.ts', 'src/new/file.ts', 'migrations/1.ts', 'tsconfig.json', 'console/index.html']) {
      write(file, 'changed');
      expect(build('--if-changed').stderr).toBe('Building dist/: the sources have changed since the last build.\n');
      expect(build('--if-changed').stderr).toBe('');
    }
    expect(runsOfCompiler()).toBe(6);
    expect(fs.readFileSync(path.join(tree, 'dist/console/index.html'), 'utf8')).toBe('changed');
    write('console/src/api/schema.d.ts', 'made from openapi.json'); // not a source
    expect(build('--if-changed').stderr).toBe('');
  });

  it('removes the code that V8 has kept of the build before', () => {
    build();
    write('dist/.compile-cache/v24/1', '');
    expect(build('--if-changed')).toMatchObject({ status: 0 });
    expect(fs.existsSync(path.join(tree, 'dist/.compile-cache'))).toBe(true);
    expect(build()).toMatchObject({ status: 0 });
    expect(fs.existsSync(path.join(tree, 'dist/.compile-cache'))).toBe(false);
  });

  it('builds again when somebody else has written dist/ since', () => {
    build();
    fs.utimesSync(path.join(tree, 'dist/.tsbuildinfo'), new Date(0), new Date(0));
    expect(build('--if-changed').stderr).toContain('Building dist/');
  });

  it('always builds without --if-changed, and fails when the compiler fails', () => {
    expect(build()).toMatchObject({ status: 0, stderr: '' });
    expect(build()).toMatchObject({ status: 0, stderr: '' });
    expect(runsOfCompiler()).toBe(2);
    write(BUNDLER, 'process.exit(3)');
    expect(build()).toMatchObject({ status: 3 });
    write(BUNDLER, COPYING_BUNDLER);
    write(COMPILER, 'process.exit(2)');
    expect(build()).toMatchObject({ status: 2 });
    write('src/main.ts', 'changed');
    expect(build('--if-changed')).toMatchObject({ status: 2 });
  });

  it('uses the dist/ that is there without a compiler, and says what to do when there is none', () => {
    build();
    fs.rmSync(path.join(tree, 'node_modules'), { recursive: true });
    expect(build('--if-changed')).toMatchObject({ status: 0, stderr: '' });
    write('src/main.ts', 'changed');
    expect(build('--if-changed')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('dist/ may be older than src/') as string,
    });
    fs.rmSync(path.join(tree, 'dist'), { recursive: true });
    for (const args of [['--if-changed'], []]) {
      const { status, stderr } = build(...args);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^The compiler is not installed\. Run "npm ci" \(without --omit=dev\) and "npm run build"/,
      );
    }
  });
});
