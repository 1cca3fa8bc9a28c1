import type { IncomingHttpHeaders } from 'node:http';
import { mintCredential } from '../../../src/access/identity/credential';
import { sentKey } from '../../../src/access/identity/sent-key';

const KEY = mintCredential('sfk').text;
const OTHER = mintCredential('sfk').text;
const TOKEN = mintCredential('sfa').text;
const key = (text: string) => ({ kind: 'key', text });

describe('sentKey finds', () => {
  it.each<[what: string, headers: IncomingHttpHeaders, found: object]>([
    ['nothing without a header', {}, { kind: 'none' }],
    ['nothing in X-Tenant-Id', { 'x-tenant-id': KEY }, { kind: 'none' }],
    ['a key in Authorization', { authorization: `Bearer ${KEY}` }, key(KEY)],
    ['a key after `bearer` in any case and spaces', { authorization: `bEARER  ${KEY} ` }, key(KEY)],
    ['a key in X-Api-Key', { 'x-api-key': KEY }, key(KEY)],
    ['the same key in both', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }, key(KEY)],
    ['a contradiction in two keys', { authorization: `Bearer ${KEY}`, 'x-api-key': OTHER }, { kind: 'contradiction' }],
    [
      'a contradiction in a token and a key',
      { authorization: `Bearer ${TOKEN}`, 'x-api-key': KEY },
      { kind: 'contradiction' },
    ],
    ['an operator token, which is then no key', { authorization: `Bearer ${TOKEN}` }, key(TOKEN)],
    ['a mistyped key', { authorization: 'Bearer sfk_x' }, key('sfk_x')],
    ['whatever is in X-Api-Key', { 'x-api-key': 'secret' }, key('secret')],
    ['an empty X-Api-Key', { 'x-api-key': '' }, key('')],
    ['X-Api-Key beside a foreign Authorization', { authorization: 'Basic eDp5', 'x-api-key': KEY }, key(KEY)],
    ['a foreign scheme', { authorization: 'Basic eDp5' }, { kind: 'foreign' }],
    ['a foreign bearer token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }, { kind: 'foreign' }],
    ['a key of another scheme', { authorization: `Token ${KEY}` }, { kind: 'foreign' }],
    ['two words after Bearer', { authorization: `Bearer ${KEY} ${KEY}` }, { kind: 'foreign' }],
  ])('%s', (_what, headers, found) => {
    expect(sentKey(headers)).toEqual(found);
  });
});
