import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';

const CONSOLE = path.resolve(__dirname, '../../../dist/console');
const KB = 1_000;
const MOST = { all: 600 * KB, firstLoad: 300 * KB };

const gzipped = (file: string): number => gzipSync(fs.readFileSync(path.join(CONSOLE, file))).length;
const sum = (files: readonly string[]): number => files.reduce((bytes, file) => bytes + gzipped(file), 0);

/** What the file names, by which the browser loads it at once: scripts and styles of a page, static imports of a script. */
function namedIn(file: string): string[] {
  const text = fs.readFileSync(path.join(CONSOLE, file), 'utf8');
  const names = file.endsWith('.html')
    ? text.matchAll(/(?:src|href)="\/console\/([^"]+)"/g)
    : text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g);
  return [...names].map(([, name = '']) => (file.endsWith('.html') ? name : path.join(path.dirname(file), name)));
}

/** The page, and everything that it loads before it shows anything. */
function firstLoad(): string[] {
  const wanted = ['index.html'];
  for (const file of wanted)
    if (/\.(html|js)$/.test(file)) wanted.push(...namedIn(file).filter((name) => !wanted.includes(name)));
  return wanted;
}

describe('the console, as it is built', () => {
  it(`weighs at most ${MOST.all / KB} kB of gzip in all`, () => {
    const files = fs.readdirSync(path.join(CONSOLE, 'assets')).map((name) => `assets/${name}`);
    expect(files.length).toBeGreaterThan(1);
    expect(sum(['index.html', ...files])).toBeLessThanOrEqual(MOST.all);
  });

  it(`loads at most ${MOST.firstLoad / KB} kB of gzip before it shows anything`, () => {
    const files = firstLoad();
    expect(files.filter((file) => file.endsWith('.js')).length).toBeGreaterThan(0);
    expect(sum(files)).toBeLessThanOrEqual(MOST.firstLoad);
  });
});
