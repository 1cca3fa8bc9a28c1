import { proveRoom } from '../../../support/sources/prove-room';
import { proof as workos } from './identity/workos.proof';

proveRoom([workos]);
