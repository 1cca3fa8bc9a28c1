/**
 * node scripts/console-types.mjs: writes the types of the console, console/src/api/schema.d.ts, from openapi.json. They are
 * not checked in. `npm run typecheck` makes them first, so an endpoint that the console uses and that has changed fails there.
 */
import './print-help.mjs';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const DOCUMENT = path.join(ROOT, 'openapi.json');
const TYPES = path.join(ROOT, 'console/src/api/schema.d.ts');

if (!isFresh()) {
  const { default: openapiTypescript, astToString } = await import('openapi-typescript');
  const types = await openapiTypescript(JSON.parse(readFileSync(DOCUMENT, 'utf8')));
  writeFileSync(TYPES, astToString(types));
}

/** Making them takes a second. */
function isFresh() {
  const made = statSync(TYPES, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs > statSync(DOCUMENT).mtimeMs;
}
