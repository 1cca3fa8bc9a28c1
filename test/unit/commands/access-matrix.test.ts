import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { accessMatrix, withAccessMatrix } from '../../../src/commands/openapi/access-matrix';

const ROOT = path.resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

describe('the table of endpoints and roles', () => {
  it('in docs/access.md is that of openapi.json (if not, run npm run openapi)', () => {
    const page = read('docs/access.md');
    expect(withAccessMatrix(page, JSON.parse(read('openapi.json')) as OpenAPIObject)).toBe(page);
  });

  it('says of each endpoint which keys and roles it admits', () => {
    const paths = {
      '/v1/events': { post: { security: [{ tenant: [] }, { 'api-key': [] }], 'x-scope': 'ingest' } },
      '/v1/whoami': { get: { security: [{ 'api-key': [] }, { 'admin-token': [] }] } },
      '/v1/admin/dlq': {
        get: { security: [{ 'admin-token': [] }], 'x-role': 'viewer' },
        post: { security: [{ 'admin-token': [] }], 'x-role': 'operator' },
      },
      '/health': { get: {} },
    } as unknown as OpenAPIObject['paths'];
    const cells = accessMatrix({ paths })
      .split('\n')
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
    expect(cells).toEqual([
      ['endpoint', 'API key', 'viewer', 'support', 'operator', 'owner'],
      expect.any(Array),
      ['`POST /v1/events`', 'ingest', '', '', '', ''],
      ['`GET /v1/whoami`', 'any', 'yes', 'yes', 'yes', 'yes'],
      ['`GET /v1/admin/dlq`', '', 'yes', 'yes', 'yes', 'yes'],
      ['`POST /v1/admin/dlq`', '', '', '', 'yes', 'yes'],
    ]);
  });

  it('needs a place on the page', () => {
    expect(() => withAccessMatrix('no marks', { paths: {} })).toThrow('access-matrix');
  });
});
