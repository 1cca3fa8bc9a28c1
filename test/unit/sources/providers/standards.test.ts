import { proveRoom } from '../../../support/sources/prove-room';
import { proof as cloudevents } from './standards/cloudevents.proof';
import { proof as standardwebhooks } from './standards/standardwebhooks.proof';
import { proof as svix } from './standards/svix.proof';

proveRoom([cloudevents, standardwebhooks, svix]);
