import { Logger } from '@nestjs/common';
import { issuerKeys } from '../../../src/access/oidc/issuer-keys';
import { startIssuer } from '../../support/oidc-issuer';

describe('the keys of an issuer', () => {
  it('that are no key set are not asked for again with each token', async () => {
    Logger.overrideLogger(false);
    const issuer = await startIssuer();
    try {
      issuer.jwks = { keys: 'none' } as unknown as typeof issuer.jwks;
      const keys = issuerKeys(issuer.url);
      const asked = (): Promise<unknown> => Promise.resolve(keys({ alg: 'ES256', kid: 'k' }, undefined as never));
      await expect(asked()).rejects.toMatchObject({ name: 'IssuerUnavailableError' });
      await expect(asked()).rejects.toMatchObject({ name: 'IssuerUnavailableError' });
      expect(issuer.reads).toBe(1);
    } finally {
      await issuer.close();
    }
  });
});
