import type { Proof } from '../../../../support/sources/proof';
import { RFC_7617, SECRETS, withBasic } from './postmark.proof';

const MAIL =
  '{"FromName":"Ada","From":"ada@example.com","To":"orders@in.example.com","OriginalRecipient":"orders@in.example.com","Subject":"Order","MessageID":"22c74902-a0c1-4511-804f-341342852c90","Date":"yesterday","TextBody":"One tea.","Headers":[],"Attachments":[]}';

export const proof: Proof = {
  provider: 'postmark-inbound',
  outside: { documents: 'RFC 7617' },
  secrets: SECRETS,
  sign: withBasic,
  examples: [RFC_7617],
  signed: ['authorization'],
  alteredBodies: () => [],
  samples: [
    {
      request: { body: MAIL },
      events: [
        {
          eventType: 'Inbound',
          subject: 'orders@in.example.com',
          eventId: '22c74902-a0c1-4511-804f-341342852c90',
        },
      ],
    },
  ],
};
