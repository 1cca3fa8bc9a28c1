import type { Verification } from '../../verification/verification';
import type { Provider } from '../provider';

const DOCUMENTATION = 'https://postmarkapp.com/developer/webhooks/webhooks-overview';
const PROOF = 'the example of RFC 7617, section 2: Postmark signs nothing';
const SECRET = 'user:password, as in the URL https://user:password@… that Postmark is given';
const VERIFICATION: Verification = { scheme: 'basic' };

export const POSTMARK: Provider = {
  id: 'postmark',
  name: 'Postmark: deliveries, bounces, opens, clicks',
  documentation: DOCUMENTATION,
  checkedOn: '2026-11-29',
  proof: PROOF,
  verification: VERIFICATION,
  secret: SECRET,
  mapping: {
    eventType: '/RecordType',
    subject: ['/MessageID', '/Recipient', '/Email'],
    occurredAt: ['/DeliveredAt', '/BouncedAt', '/ReceivedAt', '/ChangedAt'],
  },
};

/** Their date is a header that the sender of the mail has written. */
export const POSTMARK_INBOUND: Provider = {
  id: 'postmark-inbound',
  name: 'Postmark: inbound mail',
  documentation: 'https://postmarkapp.com/developer/webhooks/inbound-webhook',
  checkedOn: '2026-11-29',
  proof: PROOF,
  verification: VERIFICATION,
  secret: SECRET,
  mapping: {
    eventType: { template: 'Inbound' },
    eventId: '/MessageID',
    subject: ['/OriginalRecipient', '/To', '/MessageID'],
  },
};
