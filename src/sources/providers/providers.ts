import { BITBUCKET } from './code/bitbucket';
import { GITHUB } from './code/github';
import { GITLAB } from './code/gitlab';
import { LINEAR } from './code/linear';
import { HUBSPOT } from './commerce/hubspot';
import { SHOPIFY } from './commerce/shopify';
import { WORKOS } from './identity/workos';
import { DISCORD } from './messaging/discord';
import { LINE } from './messaging/line';
import { RESEND } from './messaging/resend';
import { SENDGRID } from './messaging/sendgrid';
import { SLACK } from './messaging/slack';
import { TWILIO } from './messaging/twilio';
import { TWILIO_EVENTS } from './messaging/twilio-events';
import { ADYEN } from './payments/adyen';
import { PADDLE } from './payments/paddle';
import { RAZORPAY } from './payments/razorpay';
import { SQUARE } from './payments/square';
import { STRIPE } from './payments/stripe';
import { STANDARD_WEBHOOKS } from './standards/standardwebhooks';
import { SVIX } from './standards/svix';
import type { Provider } from './provider';

/** Every preset there is. */
export const PROVIDERS: readonly Provider[] = [
  // code
  BITBUCKET,
  GITHUB,
  GITLAB,
  LINEAR,
  // commerce
  HUBSPOT,
  SHOPIFY,
  // identity
  WORKOS,
  // messaging
  DISCORD,
  LINE,
  RESEND,
  SENDGRID,
  SLACK,
  TWILIO,
  TWILIO_EVENTS,
  // payments
  ADYEN,
  PADDLE,
  RAZORPAY,
  SQUARE,
  STRIPE,
  // standards
  STANDARD_WEBHOOKS,
  SVIX,
];

const BY_ID = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

export function providerOf(id: string): Provider | undefined {
  return BY_ID.get(id);
}
