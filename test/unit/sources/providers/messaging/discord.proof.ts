import { generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto';
import { load, unixSeconds, withHeaders, type Proof } from '../../../../support/sources/proof';

interface DiscordPackage {
  verifyKey: (body: string, signature: string, timestamp: string, publicKey: string) => Promise<boolean>;
}

const SIGNATURE = 'x-signature-ed25519';
const TIMESTAMP = 'x-signature-timestamp';
const RAW_KEY_BYTES = 32;

const PAIRS = new Map<string, KeyObject>();
function publicKey(): string {
  const pair = generateKeyPairSync('ed25519');
  const text = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-RAW_KEY_BYTES).toString('hex');
  PAIRS.set(text, pair.privateKey);
  return text;
}

const AUTHORIZED =
  '{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"APPLICATION_AUTHORIZED",' +
  '"timestamp":"2026-09-21T14:13:19.720000","data":{"scopes":["identify"],"user":{"id":"90000000000000001"}}}}';
const ENTITLEMENT =
  '{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"ENTITLEMENT_CREATE",' +
  '"timestamp":"2026-09-21T14:13:19.720000","data":{"id":"1234505980407808808","user_id":"771129655544643584"}}}';

export const proof: Proof = {
  provider: 'discord',
  outside: {
    accepts: 'discord-interactions: verifyKey',
    async decide({ body, headers }, secret) {
      const { verifyKey } = await load<DiscordPackage>('discord-interactions');
      return verifyKey(body, headers[SIGNATURE] ?? '', headers[TIMESTAMP] ?? '', secret);
    },
  },
  secrets: [publicKey(), publicKey()],
  sign(request, secret, at) {
    const timestamp = unixSeconds(at);
    const signature = signWith(null, Buffer.from(timestamp + request.body), PAIRS.get(secret) as KeyObject);
    return withHeaders(request, { [TIMESTAMP]: timestamp, [SIGNATURE]: signature.toString('hex') });
  },
  signed: [SIGNATURE, TIMESTAMP],
  samples: [
    {
      request: { body: AUTHORIZED },
      events: [{ eventType: 'APPLICATION_AUTHORIZED', subject: '90000000000000001' }],
    },
    {
      request: { body: ENTITLEMENT },
      events: [{ eventType: 'ENTITLEMENT_CREATE', subject: '1234505980407808808' }],
    },
  ],
  handshakes: [
    {
      request: { body: '{"version":1,"application_id":"1234560123453231555","type":0}' },
      name: 'PING of webhook events',
      answer: { status: 204, body: '' },
    },
  ],
};
