import { AWS_SNS } from './cloud/aws-sns';
import { AZURE_EVENT_GRID } from './cloud/azure-event-grid';
import { BITBUCKET } from './code/bitbucket';
import { GITHUB } from './code/github';
import { GITLAB } from './code/gitlab';
import { LINEAR } from './code/linear';
import { PAGERDUTY } from './code/pagerduty';
import { SANITY } from './code/sanity';
import { HUBSPOT } from './commerce/hubspot';
import { SHOPIFY } from './commerce/shopify';
import { OKTA } from './identity/okta';
import { WORKOS } from './identity/workos';
import { DISCORD } from './messaging/discord';
import { LINE } from './messaging/line';
import { META } from './messaging/meta';
import { POSTMARK, POSTMARK_INBOUND } from './messaging/postmark';
import { RESEND } from './messaging/resend';
import { SENDGRID } from './messaging/sendgrid';
import { SLACK } from './messaging/slack';
import { TWILIO } from './messaging/twilio';
import { TWILIO_EVENTS } from './messaging/twilio-events';
import { ADYEN } from './payments/adyen';
import { COINBASE_COMMERCE } from './payments/coinbase-commerce';
import { GOCARDLESS } from './payments/gocardless';
import { MOLLIE } from './payments/mollie';
import { PADDLE } from './payments/paddle';
import { RAZORPAY } from './payments/razorpay';
import { SQUARE } from './payments/square';
import { STRIPE } from './payments/stripe';
import { CLOUDEVENTS } from './standards/cloudevents';
import { STANDARD_WEBHOOKS } from './standards/standardwebhooks';
import { SVIX } from './standards/svix';
import { BOX } from './work/box';
import { MICROSOFT_GRAPH } from './work/microsoft-graph';
import { ZOOM } from './work/zoom';
import type { Provider } from './provider';

/** Every preset there is. */
export const PROVIDERS: readonly Provider[] = [
  // cloud
  AWS_SNS,
  AZURE_EVENT_GRID,
  // code
  BITBUCKET,
  GITHUB,
  GITLAB,
  LINEAR,
  PAGERDUTY,
  SANITY,
  // commerce
  HUBSPOT,
  SHOPIFY,
  // identity
  OKTA,
  WORKOS,
  // messaging
  DISCORD,
  LINE,
  META,
  POSTMARK,
  POSTMARK_INBOUND,
  RESEND,
  SENDGRID,
  SLACK,
  TWILIO,
  TWILIO_EVENTS,
  // payments
  ADYEN,
  COINBASE_COMMERCE,
  GOCARDLESS,
  MOLLIE,
  PADDLE,
  RAZORPAY,
  SQUARE,
  STRIPE,
  // standards
  CLOUDEVENTS,
  STANDARD_WEBHOOKS,
  SVIX,
  // work
  BOX,
  MICROSOFT_GRAPH,
  ZOOM,
];

const BY_ID = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

export function providerOf(id: string): Provider | undefined {
  return BY_ID.get(id);
}
