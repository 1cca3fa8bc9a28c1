/**
 * The packages that the build copies into dist/console, where the list of installed packages does not show them: those of
 * `bundled` in package.json, with what they depend on.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (name) => JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));

/** Returns name, version and licence of each, from package-lock.json. The bundler leaves out some of what they depend on. */
export function bundledPackages() {
  const { packages } = read('package-lock.json');
  const found = new Map();
  const visit = (name, from) => {
    const place = placeOf(packages, name, from);
    if (found.has(place)) return;
    const { version, license, dependencies = {} } = packages[place];
    found.set(place, { name, version, license });
    for (const dependency of Object.keys(dependencies)) visit(dependency, place);
  };
  for (const name of read('package.json').bundled) visit(name, '');
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Returns where Node.js finds a package that a file at `from` asks for. */
function placeOf(packages, name, from) {
  const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (place in packages) return place;
  if (from === '') throw new Error(`package-lock.json does not have ${name}`);
  return placeOf(packages, name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
}
