import { load, withHeaders, type Proof } from '../../../../support/sources/proof';

interface HubSpotPackage {
  Signature: {
    getSignature(
      method: string,
      version: 'v3',
      options: { clientSecret: string; requestBody: string; url: string; timestamp: number },
    ): string;
  };
}

const CHANGE =
  '{"eventId":100,"subscriptionId":1234,"portalId":62515,"appId":54321,"occurredAt":1789999999123,' +
  '"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":123,"propertyName":"lifecyclestage"}';
const ASSOCIATION =
  '{"eventId":101,"subscriptionId":1235,"portalId":62515,"appId":54321,"occurredAt":1789999999456,' +
  '"subscriptionType":"contact.associationChange","attemptNumber":0,"fromObjectId":77,"toObjectId":78}';

/** HubSpot signs the URL with some characters unescaped. Its package leaves that to the caller. */
const ESCAPED = 'https://in.example.com/in/token?to=a%3Ab%2Fc%20d&x=%40%21';
const UNESCAPED = 'https://in.example.com/in/token?to=a:b/c%20d&x=@!';

export const proof: Proof = {
  provider: 'hubspot',
  outside: { signs: '@hubspot/api-client: Signature.getSignature' },
  secrets: ['hs-client-secret', 'hs-another-secret'],
  async sign(request, clientSecret, at) {
    const { Signature } = await load<HubSpotPackage>('@hubspot/api-client');
    const timestamp = at.getTime();
    const url = request.url === ESCAPED ? UNESCAPED : request.url;
    const signature = Signature.getSignature('POST', 'v3', { clientSecret, requestBody: request.body, url, timestamp });
    return withHeaders(request, {
      'x-hubspot-request-timestamp': String(timestamp),
      'x-hubspot-signature-v3': signature,
    });
  },
  signed: ['x-hubspot-signature-v3', 'x-hubspot-request-timestamp', 'url', 'method'],
  toleranceSeconds: 300,
  samples: [
    {
      request: { url: 'https://in.example.com/in/token?tenant=7', body: `[${CHANGE},${ASSOCIATION}]` },
      events: [
        {
          eventType: 'contact.propertyChange',
          subject: '123',
          eventId: '1234.100.1789999999123',
          occurredAt: '2026-09-21T14:13:19.123Z',
          payload: CHANGE,
        },
        {
          eventType: 'contact.associationChange',
          subject: '77',
          eventId: '1235.101.1789999999456',
          occurredAt: '2026-09-21T14:13:19.456Z',
          payload: ASSOCIATION,
        },
      ],
    },
    { request: { url: ESCAPED, body: '[]' }, events: [] },
  ],
};
