import type { HandshakeName } from '../../../../src/sources/handshakes/handshakes';
import type { HandshakeSample, SentRequest } from '../../../support/sources/proof';

const URL_OF_SOURCE = 'https://in.example.com/in/token';
const TEXT = 'text/plain; charset=utf-8';
export const JSON_UTF8 = 'application/json; charset=utf-8';

export function request(method: string, search = '', headers: Record<string, string> = {}, body = ''): SentRequest {
  return { method, url: `${URL_OF_SOURCE}${search}`, headers, body };
}
export const json = (value: unknown, headers: Record<string, string> = {}): SentRequest =>
  request('POST', '', { 'content-type': 'application/json', ...headers }, JSON.stringify(value));

export interface Exchange {
  handshake: HandshakeName;
  /** The name of the handshake itself. */
  name: string;
  /** Where the provider documents it. The values are from there where it has any. */
  documented: string;
  request: SentRequest;
  verified: boolean;
  status: number;
  contentType?: string;
  body?: string;
  headers?: Record<string, string>;
}

const CHALLENGE = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P';
const REACHABILITY =
  'Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a-494c-aaf1-ac0dcfca45b7';
const VALIDATION_CODE = '512d38b6-c7b8-40c8-89fe-f46f9e9622b6';

export const EXCHANGES: Exchange[] = [
  {
    handshake: 'slack',
    name: 'url_verification',
    documented: 'https://docs.slack.dev/reference/events/url_verification',
    request: json({ token: 'Jhj5dZrVaK7ZwHHjRyZWjbDl', challenge: CHALLENGE, type: 'url_verification' }),
    verified: true,
    status: 200,
    contentType: TEXT,
    body: CHALLENGE,
  },
  {
    handshake: 'meta',
    name: 'hub.challenge',
    documented: 'https://developers.facebook.com/docs/graph-api/webhooks/getting-started',
    request: request('GET', '?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock'),
    verified: false,
    status: 200,
    contentType: TEXT,
    body: '1158201444',
  },
  {
    handshake: 'okta',
    name: 'one-time verification',
    documented: 'https://developer.okta.com/docs/concepts/event-hooks/',
    request: request('GET', '', { 'x-okta-verification-challenge': 'value_from_header' }),
    verified: false,
    status: 200,
    contentType: JSON_UTF8,
    body: '{"verification":"value_from_header"}',
  },
  {
    handshake: 'microsoft-graph',
    name: 'validationToken',
    documented: 'https://learn.microsoft.com/graph/change-notifications-delivery-webhooks',
    request: request('POST', `?validationToken=${new URLSearchParams([['', REACHABILITY]]).toString().slice(1)}`, {
      'content-type': 'text/plain; charset=utf-8',
    }),
    verified: false,
    status: 200,
    contentType: TEXT,
    body: REACHABILITY,
  },
  {
    handshake: 'azure-event-grid',
    name: 'SubscriptionValidationEvent',
    documented: 'https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema',
    request: json(
      [
        {
          id: '2d1781af-3a4c-4d7c-bd0c-e34b19da4e66',
          topic: '/subscriptions/xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
          subject: '',
          data: {
            validationCode: VALIDATION_CODE,
            validationUrl: 'https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/estest/validate?id=1',
          },
          eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
          eventTime: '2022-10-28T04:23:35.1981776Z',
          metadataVersion: '1',
          dataVersion: '1',
        },
      ],
      { 'aeg-event-type': 'SubscriptionValidation' },
    ),
    verified: true,
    status: 200,
    contentType: JSON_UTF8,
    body: `{"validationResponse":"${VALIDATION_CODE}"}`,
  },
  ...(['azure-event-grid', 'cloudevents'] as const).map((handshake) => ({
    handshake,
    name: 'WebHook-Request-Origin',
    documented: 'https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md#4-abuse-protection',
    request: request('OPTIONS', '', {
      'webhook-request-origin': 'eventemitter.example.com',
      'webhook-request-rate': '120',
    }),
    verified: false,
    status: 200,
    headers: { allow: 'POST', 'webhook-allowed-origin': 'eventemitter.example.com', 'webhook-allowed-rate': '*' },
  })),
  {
    handshake: 'discord',
    name: 'PING of webhook events',
    documented: 'https://discord.com/developers/docs/events/webhook-events#preparing-for-events',
    request: json({ version: 1, application_id: '1234560123453231555', type: 0 }),
    verified: true,
    status: 204,
  },
  {
    handshake: 'discord-interactions',
    name: 'PING of interactions',
    documented: 'https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint',
    request: json({ version: 1, application_id: '1234560123453231555', id: '1', token: 't', type: 1 }),
    verified: true,
    status: 200,
    contentType: JSON_UTF8,
    body: '{"type":1}',
  },
  {
    handshake: 'dropbox',
    name: 'challenge',
    documented: 'https://www.dropbox.com/developers/reference/webhooks',
    request: request('GET', '?challenge=abc123'),
    verified: false,
    status: 200,
    contentType: TEXT,
    body: 'abc123',
  },
];

/** The exchanges of a provider, for the proof of its preset. */
export function handshakeSamples(of: HandshakeName): HandshakeSample[] {
  return EXCHANGES.filter(({ handshake }) => handshake === of).map((exchange) => ({
    request: exchange.request,
    name: exchange.name,
    answer: { status: exchange.status, body: exchange.body ?? '' },
  }));
}
