import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { SCHEME_SCHEMAS, type Schema } from '../../../src/admin/sources/rules/verification-schema';
import { OPERATORS } from '../../../src/expressions/filter/operators';
import { LIMITS } from '../../../src/expressions/limits';
import { BODY_LIMITS } from '../../../src/sources/body/parsed-body';
import { SAMPLE_RESULTS } from '../../../src/sources/inspector/request-sample';
import { KEPT_SAMPLES } from '../../../src/sources/inspector/request-samples';
import { MAX_RECORDS } from '../../../src/sources/mapping/map-request';
import { MAPPED_FIELDS } from '../../../src/sources/mapping/mapping';
import { SOURCE_LIMITS } from '../../../src/sources/directory/source';
import { NAMED_PARTS, WHOLE_PARTS } from '../../../src/sources/request/template-parts';

const read = (page: string): string => readFileSync(path.resolve(__dirname, '../../../docs', page), 'utf8');
const page = read('sources.md');

/** The names of all fields of a schema, at any depth. */
function fieldsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema as Schema).flatMap(([keyword, value]) =>
    keyword === 'properties' ? [...Object.keys(value as Schema), ...fieldsOfAll(value)] : fieldsIn(value),
  );
}
const fieldsOfAll = (properties: unknown): string[] => Object.values(properties as Schema).flatMap(fieldsIn);

/** The names that stand in code in the page, such as `header` and `{ claim, algorithm, encoding }`. */
const named = new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.split(/[^\w$@]+/)));
const counted = (n: number): string => n.toLocaleString('en');

describe('docs/sources.md', () => {
  it.each(Object.entries(SCHEME_SCHEMAS))('names every field of the scheme %s', (scheme, schema) => {
    expect([scheme, ...fieldsIn(schema)].filter((name) => !named.has(name))).toEqual([]);
  });

  it('names every part of a template, every field of a mapping and every operator of a filter', () => {
    const parts = [
      ...Object.keys(WHOLE_PARTS).map((part) => `{${part}}`),
      ...Object.keys(NAMED_PARTS).map((part) => `{${part}:`),
    ];
    expect(parts.filter((part) => !page.includes(part))).toEqual([]);
    expect([...MAPPED_FIELDS, 'records', ...Object.keys(OPERATORS)].filter((name) => !named.has(name))).toEqual([]);
  });

  it('states the limits that there are', () => {
    const limits = [
      `${counted(MAX_RECORDS)} records`,
      `${counted(SOURCE_LIMITS.ofTenant)} sources`,
      `installation ${counted(SOURCE_LIMITS.ofInstallation)}`,
      `last ${KEPT_SAMPLES} requests`,
      `${LIMITS.cpuMilliseconds} ms of CPU time, ${LIMITS.megabytes} MB`,
    ];
    expect(limits.filter((text) => !page.includes(text))).toEqual([]);
    const cells = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const inTable = Object.values(BODY_LIMITS).map((limit) => counted(limit as number));
    expect(inTable.filter((limit) => !cells.some((row) => row.includes(limit)))).toEqual([]);
  });

  it('has all results of requests in docs/observability.md', () => {
    const metrics = read('observability.md');
    expect(SAMPLE_RESULTS.filter((result) => !metrics.includes(`\`${result}\``))).toEqual([]);
  });
});
