import { HANDSHAKES } from '../../handshakes/handshakes';
import type { Provider } from '../provider';

/**
 * Notifications have no id that is always there, and say only when their subscription expires. Equal notifications may
 * be different changes, so each one without an id is an event of its own.
 */
export const MICROSOFT_GRAPH: Provider = {
  id: 'microsoft-graph',
  name: 'Microsoft Graph (change notifications)',
  documentation: 'https://learn.microsoft.com/graph/change-notifications-delivery-webhooks',
  checkedOn: '2026-11-29',
  proof: 'the exchange in the documentation: Microsoft signs nothing',
  verification: { scheme: 'token', each: '/value', value: '{body:/clientState}' },
  secret: 'the clientState of the subscriptions',
  mapping: {
    records: '/value',
    eventId: ['/id', { template: '{newId}' }],
    eventType: ['/changeType', '/lifecycleEvent'],
    subject: ['/resource', '/subscriptionId'],
  },
  handshakes: HANDSHAKES['microsoft-graph'],
};
