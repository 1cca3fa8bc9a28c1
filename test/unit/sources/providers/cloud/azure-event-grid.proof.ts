import type { Proof } from '../../../../support/sources/proof';
import { handshakeSamples } from '../../handshakes/documented-exchanges';

const URL_OF_SOURCE = 'https://in.example.com/in/token';

/** https://learn.microsoft.com/azure/event-grid/event-schema, shortened */
const CREATED =
  '{"id":"831e1650-001e-001b-66ab-eeb76e000001","topic":"/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct","subject":"/blobServices/default/containers/in/blobs/a.csv","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-11-29T11:59:58.1234567Z","dataVersion":"","metadataVersion":"1","data":{"api":"PutBlob","contentLength":12,"url":"https://acct.blob.core.windows.net/in/a.csv"}}';
/** https://learn.microsoft.com/azure/event-grid/cloud-event-schema, shortened */
const CLOUD_EVENT =
  '{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","source":"/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct","id":"9aeb0fdf-c01e-0131-0922-9eb54906e209","time":"2026-11-29T11:59:58.1234567Z","subject":"/blobServices/default/containers/in/blobs/b.csv","data":{"api":"PutBlockList","contentLength":34}}';

export const proof: Proof = {
  provider: 'azure-event-grid',
  outside: { documents: 'https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema' },
  secrets: ['secret-of-the-subscription', 'another-of-a-subscription'],
  sign: (request, secret) => ({ ...request, url: `${URL_OF_SOURCE}?code=${secret}` }),
  signed: [],
  alteredBodies: () => [],
  samples: [
    {
      request: { headers: { 'aeg-event-type': 'Notification' }, body: `[${CREATED}]` },
      events: [
        {
          eventType: 'Microsoft.Storage.BlobCreated',
          eventId: '831e1650-001e-001b-66ab-eeb76e000001',
          subject: '/blobServices/default/containers/in/blobs/a.csv',
          occurredAt: '2026-11-29T11:59:58.1234567Z',
          payload: CREATED,
        },
      ],
    },
    {
      request: { headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' }, body: CLOUD_EVENT },
      events: [
        {
          eventType: 'Microsoft.Storage.BlobCreated',
          eventId: '9aeb0fdf-c01e-0131-0922-9eb54906e209',
          subject: '/blobServices/default/containers/in/blobs/b.csv',
          occurredAt: '2026-11-29T11:59:58.123Z',
          payload: '{"api":"PutBlockList","contentLength":34}',
        },
      ],
    },
  ],
  handshakes: handshakeSamples('azure-event-grid'),
};
