import { always } from '../../directory/answers';
import type { Provider } from '../provider';

const ITEM = '/NotificationRequestItem';

/** What is signed of an item. A field that the item does not have is signed as an empty text. */
const SIGNED = [
  'pspReference',
  'originalReference',
  'merchantAccountCode',
  'merchantReference',
  'amount/value',
  'amount/currency',
  'eventCode',
  'success',
].map((field) => `{body:${ITEM}/${field}?}`);

/** Each item has a signature of its own. It covers the fields above only, and not `reason` or `additionalData`. */
export const ADYEN: Provider = {
  id: 'adyen',
  name: 'Adyen',
  documentation: 'https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures',
  checkedOn: '2026-11-29',
  proof: 'npm @adyen/api-library: hmacValidator.calculateHmac',
  verification: {
    scheme: 'hmac',
    algorithm: 'sha256',
    encoding: 'base64',
    secretEncoding: 'hex',
    each: '/notificationItems',
    signature: `{body:${ITEM}/additionalData/hmacSignature}`,
    signed: SIGNED.join(':'),
  },
  secret: 'the HMAC key of the webhook: 64 hexadecimal digits',
  mapping: {
    records: '/notificationItems',
    eventType: `${ITEM}/eventCode`,
    // Adyen has no event id. Copies have the same reference and code; `success` tells an outcome from its correction.
    eventId: {
      template: `{body:${ITEM}/pspReference}:{body:${ITEM}/eventCode}:{body:${ITEM}/success}`,
    },
    subject: [`${ITEM}/originalReference`, `${ITEM}/pspReference`],
    occurredAt: `${ITEM}/eventDate`,
    payload: ITEM,
  },
  answers: always({ status: 200, body: '[accepted]', contentType: 'text/plain' }),
};
