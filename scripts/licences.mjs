/**
 * npm run licences: writes THIRD_PARTY_LICENCES.md, which lists every package that production installs or that the console
 * bundles, with its version and licence. It reads only package-lock.json, so the result is the same on every machine. With --check it writes nothing,
 * and exits with 1 if the file is outdated or a licence is not in the list below.
 */
import './print-help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { bundledPackages } from './bundled-packages.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const FILE = 'THIRD_PARTY_LICENCES.md';

/** Permissive licences: they require only that their text is kept. */
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
const bundled = bundledPackages();
const list = [
  '# Packages that production installs',
  '',
  'Made by `npm run licences` from package-lock.json.',
  '',
  ...tableOf(shipped),
  '# Packages that the console bundles',
  '',
  'The build copies what the console uses of these packages into `dist/console`, and their licences into its `licences.md`.',
  '',
  ...tableOf(bundled),
].join('\n');

const strangers = [...shipped, ...bundled].filter(({ license }) => !AGREED.includes(license));
for (const { name, license } of strangers) {
  process.stderr.write(`${name} has the licence ${license}, which is not in the list of scripts/licences.mjs\n`);
}
if (!process.argv.includes('--check')) {
  writeFileSync(path.join(ROOT, FILE), list);
} else if (readFileSync(path.join(ROOT, FILE), 'utf8') !== list) {
  process.stderr.write(`${FILE} is outdated: run npm run licences\n`);
  process.exitCode = 1;
}
if (strangers.length > 0) process.exitCode = 1;

function tableOf(packages) {
  const rows = packages.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
  return ['| package | version | licence |', '| ------- | ------- | ------- |', ...[...new Set(rows)].sort(), ''];
}
