import { examineRequest } from '../../../src/sources/intake/examine-request';
import { sourceWith } from '../../support/sources/live';
import { received } from '../../support/sources/received';

describe('a handshake that needs no signature', () => {
  const context = sourceWith({
    provider: 'microsoft-graph',
    verification: { scheme: 'token', each: '/value', value: '{body:/clientState}', allow: ['203.0.113.0/24'] },
  });
  const from = (address: string) => examineRequest(received({ query: { validationToken: 'v' }, address }), context);

  it('is answered only to the addresses that the source allows', async () => {
    expect(await from('203.0.113.7')).toMatchObject({ kind: 'handshake' });
    expect(await from('198.51.100.1')).toMatchObject({ kind: 'unverified', verdict: { code: 'address-not-allowed' } });
  });
});
