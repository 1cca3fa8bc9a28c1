import { proveRoom } from '../../../support/sources/prove-room';
import { proof as hubspot } from './commerce/hubspot.proof';
import { proof as shopify } from './commerce/shopify.proof';

proveRoom([hubspot, shopify]);
