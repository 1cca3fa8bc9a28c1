import { redactResponse } from '../../../src/access/redaction/redact-response';
import { REDACTED } from '../../../src/access/redaction/redacted';

describe('a response to operators who may not see what a tenant redacts', () => {
  const isHidden = (tenantId: string | undefined): boolean => tenantId !== 'open';

  it('has no text that was to be signed: it quotes the body', () => {
    const sample = {
      tenantId: 'acme',
      requests: [{ reason: 'x', facts: { signedText: '{"email":"a"}', secretsTried: 1 } }],
    };
    expect(redactResponse(sample, isHidden)).toEqual({
      tenantId: 'acme',
      requests: [{ reason: REDACTED, facts: { signedText: REDACTED, secretsTried: 1 } }],
    });
    expect(redactResponse({ ...sample, tenantId: 'open' }, isHidden)).toEqual({ ...sample, tenantId: 'open' });
  });

  it('is searched in objects that name a member toJSON as well', () => {
    expect(redactResponse({ toJSON: 1, errorMessage: 'no account for a' }, isHidden)).toEqual({
      toJSON: 1,
      errorMessage: REDACTED,
    });
  });
});
