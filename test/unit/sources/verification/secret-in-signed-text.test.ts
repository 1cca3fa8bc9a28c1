import { X509Certificate } from 'node:crypto';
import { ReceivedRequest } from '../../../../src/sources/request/received-request';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { makeCertificate } from '../../../support/sources/certificate';

describe('a secret in the signed text', () => {
  it('is not shown where the signature is wrong', async () => {
    const verify = compileVerifier(
      {
        scheme: 'rsa',
        encoding: 'base64',
        header: 'x-signature',
        signed: '{secret}.{body}',
        certificate: { url: '{header:x-certificate}', hosts: ['signer.example.com'] },
      },
      ['canary-of-a-webhook-id'],
      { certificate: () => Promise.resolve(new X509Certificate(makeCertificate().pem)), keySet: () => fail() },
    );
    const headers = { 'x-signature': 'AAAA', 'x-certificate': 'https://signer.example.com/c.pem' };
    const facts = { method: 'POST', path: '', url: 'https://x/in/t', query: {}, headers, address: '203.0.113.7' };
    const request = new ReceivedRequest({ ...facts, body: Buffer.from('{}'), receivedAt: new Date() });
    expect(await verify(request)).toMatchObject({ verified: false, facts: { signedText: '***.{}' } });
  });
});

const fail = (): never => {
  throw new Error('not expected');
};
