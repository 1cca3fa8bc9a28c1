import { proveRoom } from '../../../support/sources/prove-room';
import { proof as awsSns } from './cloud/aws-sns.proof';
import { proof as azureEventGrid } from './cloud/azure-event-grid.proof';

proveRoom([awsSns, azureEventGrid]);
