import { proveRoom } from '../../../support/sources/prove-room';
import { proof as box } from './work/box.proof';
import { proof as microsoftGraph } from './work/microsoft-graph.proof';
import { proof as zoom } from './work/zoom.proof';

proveRoom([box, microsoftGraph, zoom]);
