/**
 * npm run licences: writes THIRD_PARTY_LICENCES.md, every package that production installs with its version and licence,
 * from package-lock.json alone, so that the answer is the same on every machine. With --check it writes nothing and ends
 * with exit code 1 when the file is stale or a licence is one that nobody has agreed to.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const ROOT = path.resolve(import.meta.dirname, '..');
const FILE = 'THIRD_PARTY_LICENCES.md';

/** Permissive ones: they ask for their text to be kept, and for nothing of ours. */
const AGREED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
];

const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
const shipped = Object.entries(packages)
  .filter(([place, { dev, optional }]) => place !== '' && !dev && !optional)
  .map(([place, { version, license }]) => ({ name: place.split('node_modules/').at(-1), version, license }));
const rows = shipped.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
const list = [
  '# Packages that production installs',
  '',
  'Made by `npm run licences` from package-lock.json.',
  '',
  '| package | version | licence |',
  '| ------- | ------- | ------- |',
  ...[...new Set(rows)].sort(),
  '',
].join('\n');

const strangers = shipped.filter(({ license }) => !AGREED.includes(license));
for (const { name, license } of strangers) {
  process.stderr.write(`${name} has the licence ${license}, which is not on the list of scripts/licences.mjs\n`);
}
if (!process.argv.includes('--check')) {
  writeFileSync(path.join(ROOT, FILE), list);
} else if (readFileSync(path.join(ROOT, FILE), 'utf8') !== list) {
  process.stderr.write(`${FILE} does not agree with package-lock.json: run npm run licences\n`);
  process.exitCode = 1;
}
if (strangers.length > 0) process.exitCode = 1;
