import { CheckedKeys } from '../../../src/access/identity/checked-keys';
import { mintCredential } from '../../../src/access/identity/credential';
import type { KeyRow } from '../../../src/access/identity/directory.queries';

function minted(): { text: string; row: KeyRow } {
  const { id, text, digest } = mintCredential('sfk');
  const rest = { tenantId: 'acme', name: 'till', scopes: [], allow: null, expiresAt: null, revoked: false };
  return { text, row: { id, digest, ...rest } };
}

describe('checked keys', () => {
  const { text, row } = minted();
  const rows = new Map([[row.id, row]]);
  const keys = new CheckedKeys({ key: (id) => rows.get(id) });
  beforeEach(() => rows.set(row.id, row));

  it('find the row of a key, the first time and afterwards', () => {
    for (let n = 0; n < 3; n++) expect(keys.rowOf(text)).toBe(row);
  });

  it('refuse a key that is revoked, however often it was right', () => {
    expect(keys.rowOf(text)).toBe(row);
    rows.delete(row.id);
    expect(keys.rowOf(text)).toBeUndefined();
  });

  it('heed a row that has changed', () => {
    const changed = { ...row, name: 'another' };
    expect(keys.rowOf(text)).toBe(row);
    rows.set(row.id, changed);
    expect(keys.rowOf(text)).toBe(changed);
    rows.set(row.id, { ...row, digest: mintCredential('sfk').digest });
    expect(keys.rowOf(text)).toBeUndefined();
  });

  it('refuse the token of an operator, another secret and a typo', () => {
    const other = minted();
    rows.set(other.row.id, { ...other.row, digest: row.digest });
    for (const wrong of [other.text, mintCredential('sfa').text, `${text}x`, '', 'sfk_']) {
      expect(keys.rowOf(wrong)).toBeUndefined();
    }
  });
});
