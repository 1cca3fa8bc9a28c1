import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/** Subscriptions with the CloudEvents schema are read as CloudEvents; the mapping is for the Event Grid schema. */
export const AZURE_EVENT_GRID: Provider = {
  id: 'azure-event-grid',
  name: 'Azure Event Grid (Event Grid and CloudEvents schema)',
  documentation: 'https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema',
  checkedOn: '2026-11-29',
  proof: 'the exchange in the documentation: Azure signs nothing',
  verification: { scheme: 'token', query: 'code' },
  secret: 'the value of `code` in the URL of the subscription, …?code=…',
  format: 'cloudevents',
  mapping: {
    records: '',
    eventType: '/eventType',
    eventId: '/id',
    subject: ['/subject', '/topic', '/id'],
    occurredAt: '/eventTime',
  },
  handshakes: HANDSHAKES['azure-event-grid'],
};
