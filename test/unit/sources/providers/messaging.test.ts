import { proveRoom } from '../../../support/sources/prove-room';
import { proof as discord } from './messaging/discord.proof';
import { proof as line } from './messaging/line.proof';
import { proof as meta } from './messaging/meta.proof';
import { proof as postmark } from './messaging/postmark.proof';
import { proof as postmarkInbound } from './messaging/postmark-inbound.proof';
import { proof as resend } from './messaging/resend.proof';
import { proof as sendgrid } from './messaging/sendgrid.proof';
import { proof as slack } from './messaging/slack.proof';
import { proof as twilio } from './messaging/twilio.proof';
import { proof as twilioEvents } from './messaging/twilio-events.proof';

proveRoom([discord, line, meta, postmark, postmarkInbound, resend, sendgrid, slack, twilio, twilioEvents]);
