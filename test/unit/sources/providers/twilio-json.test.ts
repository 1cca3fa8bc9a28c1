import { hash } from 'node:crypto';
import { TWILIO } from '../../../../src/sources/providers/messaging/twilio';
import { compileVerifier } from '../../../../src/sources/verification/verifiers';
import { asReceived } from '../../../support/sources/as-received';
import { load, NO_TOOLS, type SentRequest } from '../../../support/sources/proof';

interface TwilioPackage {
  getExpectedTwilioSignature: (token: string, url: string, fields: Record<string, unknown>) => string;
}

const TOKEN = '0123456789abcdef0123456789abcdef';
const PLAIN = 'https://in.example.com/in/token?tenant=7';
const BODY = '{"EventType":"onMessageAdded","ConversationSid":"CH01"}';

async function signed(url: string, body: string, contentType: string): Promise<SentRequest> {
  const { getExpectedTwilioSignature } = await load<TwilioPackage>('twilio/lib/webhooks/webhooks');
  const signature = getExpectedTwilioSignature(TOKEN, url, {});
  return { method: 'POST', url, body, headers: { 'content-type': contentType, 'x-twilio-signature': signature } };
}

async function verdictOf(request: SentRequest): Promise<string> {
  const verdict = await compileVerifier(TWILIO.verification, [TOKEN], NO_TOOLS)(asReceived(request, new Date()));
  return verdict.verified ? 'verified' : verdict.code;
}

describe('a request of Twilio that is no form', () => {
  const withDigest = `${PLAIN}&bodySHA256=${hash('sha256', BODY, 'hex')}`;

  it('is verified by the digest of its body, which is part of the signed URL', async () => {
    expect(await verdictOf(await signed(withDigest, BODY, 'application/json'))).toBe('verified');
  });

  it('is refused if the body has another digest', async () => {
    expect(await verdictOf(await signed(withDigest, `${BODY} `, 'application/json'))).toBe('signature-invalid');
  });

  it('is refused without a digest, even if the URL is signed: nothing covers the body', async () => {
    expect(await verdictOf(await signed(PLAIN, BODY, 'application/json'))).toBe('signature-missing');
    expect(await verdictOf(await signed(PLAIN, BODY, 'text/plain'))).toBe('signature-missing');
  });

  it('is refused as a form, whose fields are not signed', async () => {
    const type = 'application/x-www-form-urlencoded';
    expect(await verdictOf(await signed(withDigest, 'EventType=onMessageAdded', type))).toBe('signature-invalid');
  });
});
