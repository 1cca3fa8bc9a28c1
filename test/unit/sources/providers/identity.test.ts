import { proveRoom } from '../../../support/sources/prove-room';
import { proof as okta } from './identity/okta.proof';
import { proof as workos } from './identity/workos.proof';

proveRoom([okta, workos]);
