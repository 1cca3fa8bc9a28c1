import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { parseAddress, readFilters, writeAddress, type Filters } from './address';
import { AuditPage } from './pages/audit/audit-page';
import { readAuditSearch } from './pages/audit/audit-search';
import { readDeadLetterSearch } from './pages/dead-letters/dead-letter-search';
import { DeadLettersPage } from './pages/dead-letters/dead-letters-page';
import { GroupPage } from './pages/dead-letters/group-page';
import { DestinationPage } from './pages/destinations/destination-page';
import { DestinationsPage } from './pages/destinations/destinations-page';
import { EventPage } from './pages/event/event-page';
import { readEventSearch } from './pages/events/event-search';
import { EventsPage } from './pages/events/events-page';
import { HealthPage } from './pages/health/health-page';
import { LivePage } from './pages/live/live-page';
import { readLiveSearch } from './pages/live/live-search';
import { OutboxPage } from './pages/outbox/outbox-page';
import { OverviewPage } from './pages/overview/overview-page';
import { RejectionGroupPage } from './pages/rejections/rejection-group-page';
import { RejectionPage } from './pages/rejections/rejection-page';
import { readRejectionSearch } from './pages/rejections/rejection-search';
import { RejectionsPage } from './pages/rejections/rejections-page';
import { OperatorsPage } from './pages/operators/operators-page';
import { ReplayPage } from './pages/replays/replay-page';
import { ReplaysPage } from './pages/replays/replays-page';
import { SourcePage } from './pages/sources/source-page';
import { SourcesPage } from './pages/sources/sources-page';
import { TenantPage } from './pages/tenants/tenant-page';
import { readTenantSearch } from './pages/tenants/tenant-search';
import { TenantsPage } from './pages/tenants/tenants-page';
import { UsagePage } from './pages/usage/usage-page';
import { readUsageSearch } from './pages/usage/usage-query';
import { BrokenPage, NoSuchPage } from './shell/lost-page';
import { Shell } from './shell/shell';

/** Pages declare what they return: their types come from this tree, and would depend on themselves. */
const root = createRootRoute({ component: Shell });
const getParentRoute = () => root;
const readTenant = (search: Record<string, unknown>): Filters<'tenantId'> => readFilters(['tenantId'], search);

// Each has a name of its own: within the array, TypeScript would take the type of any route for them.
const overview = createRoute({ getParentRoute, path: '/', component: OverviewPage });
const events = createRoute({
  getParentRoute,
  path: '/events',
  validateSearch: readEventSearch,
  component: EventsPage,
});
const event = createRoute({ getParentRoute, path: '/events/$eventId', component: EventPage });
const deadLetters = createRoute({
  getParentRoute,
  path: '/dead-letters',
  validateSearch: readDeadLetterSearch,
  component: DeadLettersPage,
});
const group = createRoute({
  getParentRoute,
  path: '/dead-letters/$group',
  validateSearch: readDeadLetterSearch,
  component: GroupPage,
});
const destinations = createRoute({
  getParentRoute,
  path: '/destinations',
  validateSearch: readTenant,
  component: DestinationsPage,
});
const destination = createRoute({ getParentRoute, path: '/destinations/$destinationId', component: DestinationPage });

const live = createRoute({ getParentRoute, path: '/live', validateSearch: readLiveSearch, component: LivePage });
const rejections = createRoute({
  getParentRoute,
  path: '/rejections',
  validateSearch: readRejectionSearch,
  component: RejectionsPage,
});
const rejectionGroup = createRoute({
  getParentRoute,
  path: '/rejections/$group',
  validateSearch: readRejectionSearch,
  component: RejectionGroupPage,
});
const rejection = createRoute({ getParentRoute, path: '/rejections/one/$rejectionId', component: RejectionPage });
const sources = createRoute({ getParentRoute, path: '/sources', validateSearch: readTenant, component: SourcesPage });
const source = createRoute({ getParentRoute, path: '/sources/$sourceId', component: SourcePage });
const replays = createRoute({ getParentRoute, path: '/replays', component: ReplaysPage });
const replay = createRoute({ getParentRoute, path: '/replays/$replayId', component: ReplayPage });
const audit = createRoute({ getParentRoute, path: '/audit', validateSearch: readAuditSearch, component: AuditPage });
const tenants = createRoute({
  getParentRoute,
  path: '/tenants',
  validateSearch: readTenantSearch,
  component: TenantsPage,
});
const tenant = createRoute({ getParentRoute, path: '/tenants/$tenantId', component: TenantPage });
const operators = createRoute({ getParentRoute, path: '/operators', component: OperatorsPage });
const outbox = createRoute({ getParentRoute, path: '/outbox', component: OutboxPage });
const health = createRoute({ getParentRoute, path: '/health', component: HealthPage });
const usage = createRoute({ getParentRoute, path: '/usage', validateSearch: readUsageSearch, component: UsagePage });

const routeTree = root.addChildren([
  overview,
  events,
  event,
  live,
  deadLetters,
  group,
  rejections,
  rejectionGroup,
  rejection,
  sources,
  source,
  destinations,
  destination,
  replays,
  replay,
  audit,
  tenants,
  tenant,
  operators,
  outbox,
  health,
  usage,
]);

export const router = createRouter({
  routeTree,
  basepath: '/console',
  parseSearch: parseAddress,
  stringifySearch: writeAddress,
  defaultNotFoundComponent: NoSuchPage,
  defaultErrorComponent: BrokenPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
