import { AZURE_EVENT_GRID } from '../../../../../src/sources/providers/cloud/azure-event-grid';
import { compileVerifier } from '../../../../../src/sources/verification/verifiers';
import { asReceived } from '../../../../support/sources/as-received';
import { NO_TOOLS } from '../../../../support/sources/proof';

describe('azure-event-grid: the token in the URL', () => {
  const verdict = (search: string): unknown => {
    const request = { method: 'POST', url: `https://in.example.com/in/token${search}`, headers: {}, body: '[]' };
    return compileVerifier(AZURE_EVENT_GRID.verification, ['a secret/+'], NO_TOOLS)(asReceived(request, new Date()));
  };

  it('is the query parameter code, after its escapes are decoded', () => {
    expect(verdict('?code=a%20secret%2F%2B')).toMatchObject({ verified: true });
    expect(verdict('?x=1&code=a+secret%2F%2B')).toMatchObject({ verified: true });
  });

  it.each([
    ['', 'signature-missing'],
    ['?Code=a%20secret%2F%2B', 'signature-missing'],
    ['?code=a%20secret%2F', 'signature-invalid'],
    ['?code=A%20secret%2F%2B', 'signature-invalid'],
  ])('%s is refused', (search, code) => {
    expect(verdict(search)).toMatchObject({ code });
  });
});
