import type { Proof } from '../../../../support/sources/proof';
import { handshakeSamples } from '../../handshakes/documented-exchanges';

const SECRETS: Proof['secrets'] = ['secret-client-state-1', 'secret-client-state-2'];

/** https://learn.microsoft.com/graph/change-notifications-delivery-webhooks, shortened */
export const notification = (clientState: string): string =>
  `{"subscriptionId":"7f105c7d-2dc5-4530-97cd-4e7ae6534c07","subscriptionExpirationDateTime":"2026-11-30T11:00:00.0000000Z","changeType":"created","resource":"Users('5f1b')/Messages('AAMk01')","resourceData":{"@odata.type":"#Microsoft.Graph.Message","id":"AAMk01"},"clientState":"${clientState}","tenantId":"84bd8158-6d4d-4958-8b9f-9d6445542f95"}`;

const CREATED = notification(SECRETS[0]);
const LIFECYCLE = `{"subscriptionId":"7f105c7d-2dc5-4530-97cd-4e7ae6534c07","lifecycleEvent":"reauthorizationRequired","clientState":"${SECRETS[0]}"}`;
const WITH_ID = `{"id":"n-1","changeType":"created","resource":"me/drive/root","clientState":"${SECRETS[0]}"}`;
const NEW_ID = expect.stringMatching(/^[\da-f-]{36}$/) as string;
const BODY = `{"value":[${CREATED}]}`;

export const proof: Proof = {
  provider: 'microsoft-graph',
  outside: { documents: 'https://learn.microsoft.com/graph/change-notifications-delivery-webhooks' },
  secrets: SECRETS,
  sign: (request) => request,
  signed: [],
  /** Every notification must have the clientState of a subscription of ours. */
  alteredBodies: () => [
    BODY.replace('client-state-1', 'client-state-3'),
    BODY.replace('clientState', 'ClientState'),
    `{"value":[${CREATED},${notification('theirs')}]}`,
    `{"value":[${CREATED},{"changeType":"created","resource":"x"}]}`,
    `{"value":[${CREATED},"${SECRETS[0]}"]}`,
    '{"value":[]}',
    `{"value":${CREATED}}`,
    CREATED,
  ],
  samples: [
    {
      request: { body: BODY },
      events: [
        { eventType: 'created', subject: "Users('5f1b')/Messages('AAMk01')", eventId: NEW_ID, payload: CREATED },
      ],
    },
    {
      request: { body: `{"value":[${WITH_ID}]}` },
      events: [{ eventType: 'created', subject: 'me/drive/root', eventId: 'n-1', payload: WITH_ID }],
    },
    {
      request: { body: `{"value":[${CREATED},${LIFECYCLE}]}` },
      events: [
        { eventType: 'created', subject: "Users('5f1b')/Messages('AAMk01')", eventId: NEW_ID, payload: CREATED },
        {
          eventType: 'reauthorizationRequired',
          subject: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07',
          eventId: NEW_ID,
          payload: LIFECYCLE,
        },
      ],
    },
  ],
  handshakes: handshakeSamples('microsoft-graph'),
};
