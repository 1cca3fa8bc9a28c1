import type { Handshake } from './handshake';

/** Where a subscription to a topic of Amazon SNS is confirmed. The URL must do nothing else. */
const SNS_CONFIRMATION = [
  'sns.*.amazonaws.com/?Action=ConfirmSubscription&',
  'sns.*.amazonaws.com.cn/?Action=ConfirmSubscription&',
];

/** The validation request of CloudEvents web hooks, which is not authorised. */
const ORIGIN: Handshake = {
  name: 'WebHook-Request-Origin',
  when: { method: 'OPTIONS', has: '{header:webhook-request-origin}' },
  verified: false,
  answer: {
    headers: {
      allow: 'POST',
      'webhook-allowed-origin': '{header:webhook-request-origin}',
      'webhook-allowed-rate': '*',
    },
  },
};

const TABLE = {
  slack: [
    {
      name: 'url_verification',
      when: { method: 'POST', has: '{body:/challenge}', equals: { value: '{body:/type}', text: 'url_verification' } },
      verified: true,
      answer: { text: '{body:/challenge}' },
    },
    {
      name: 'ssl_check',
      when: { method: 'POST', equals: { value: '{body:/ssl_check}', text: '1' } },
      verified: true,
      answer: {},
    },
  ],
  // The verify token is not compared: the token in the URL is a better one, and the app secret decides about events.
  meta: [
    {
      name: 'hub.challenge',
      when: { method: 'GET', has: '{query:hub.challenge}', equals: { value: '{query:hub.mode}', text: 'subscribe' } },
      verified: false,
      answer: { text: '{query:hub.challenge}' },
    },
  ],
  okta: [
    {
      name: 'one-time verification',
      when: { method: 'GET', has: '{header:x-okta-verification-challenge}' },
      verified: false,
      answer: { json: { verification: '{header:x-okta-verification-challenge}' } },
    },
  ],
  // Must stay verified: the answer is an HMAC of a text that the sender chooses.
  zoom: [
    {
      name: 'endpoint.url_validation',
      when: { method: 'POST', equals: { value: '{body:/event}', text: 'endpoint.url_validation' } },
      verified: true,
      answer: {
        json: {
          plainToken: '{body:/payload/plainToken}',
          encryptedToken: { hmac: '{body:/payload/plainToken}', algorithm: 'sha256', encoding: 'hex' },
        },
      },
    },
  ],
  'microsoft-graph': [
    {
      name: 'validationToken',
      when: { method: 'POST', has: '{query:validationToken}' },
      verified: false,
      answer: { text: '{query:validationToken}' },
    },
  ],
  'azure-event-grid': [
    {
      name: 'SubscriptionValidationEvent',
      when: { method: 'POST', equals: { value: '{header:aeg-event-type}', text: 'SubscriptionValidation' } },
      verified: true,
      answer: { json: { validationResponse: '{body:/0/data/validationCode}' } },
    },
    ORIGIN,
  ],
  cloudevents: [ORIGIN],
  // Discord sends wrong signatures as well, which must be answered with 401.
  discord: [
    {
      name: 'PING of webhook events',
      when: { method: 'POST', equals: { value: '{body:/type}', text: '0' } },
      verified: true,
      answer: { status: 204 },
    },
  ],
  'discord-interactions': [
    {
      name: 'PING of interactions',
      when: { method: 'POST', equals: { value: '{body:/type}', text: '1' } },
      verified: true,
      answer: { json: { type: 1 } },
    },
  ],
  dropbox: [
    {
      name: 'challenge',
      when: { method: 'GET', has: '{query:challenge}' },
      verified: false,
      answer: { text: '{query:challenge}' },
    },
  ],
  'aws-sns': [
    {
      name: 'SubscriptionConfirmation',
      when: { method: 'POST', equals: { value: '{body:/Type}', text: 'SubscriptionConfirmation' } },
      verified: true,
      confirm: { url: '{body:/SubscribeURL}', hosts: SNS_CONFIRMATION },
      answer: {},
    },
  ],
} as const satisfies Record<string, readonly Handshake[]>;

export type HandshakeName = keyof typeof TABLE;

type ByName = Readonly<Record<HandshakeName, readonly Handshake[]>>;

/**
 * Every handshake there is, by the name that a source may give.
 *
 * A handshake that is not verified tells strangers nothing: the answer is a text of their own request. It does not make
 * the source take events either, since these are verified.
 */
export const HANDSHAKES: ByName & Readonly<Record<string, readonly Handshake[] | undefined>> = Object.assign(
  Object.create(null) as object,
  TABLE,
);
