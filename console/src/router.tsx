import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { parseAddress, writeAddress } from './address';
import { readDeadLetterSearch } from './pages/dead-letters/dead-letter-search';
import { DeadLettersPage } from './pages/dead-letters/dead-letters-page';
import { GroupPage } from './pages/dead-letters/group-page';
import { DestinationPage } from './pages/destinations/destination-page';
import { DestinationsPage } from './pages/destinations/destinations-page';
import { EventPage } from './pages/event/event-page';
import { readEventSearch } from './pages/events/event-search';
import { EventsPage } from './pages/events/events-page';
import { OverviewPage } from './pages/overview/overview-page';
import { BrokenPage, NoSuchPage } from './shell/lost-page';
import { Shell } from './shell/shell';

/** Pages declare what they return: their types come from this tree, and would depend on themselves. */
const root = createRootRoute({ component: Shell });
const getParentRoute = () => root;

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
  validateSearch: ({ tenantId }: Record<string, unknown>): { tenantId?: string } =>
    typeof tenantId === 'string' && tenantId !== '' ? { tenantId } : {},
  component: DestinationsPage,
});
const destination = createRoute({ getParentRoute, path: '/destinations/$destinationId', component: DestinationPage });

const routeTree = root.addChildren([overview, events, event, deadLetters, group, destinations, destination]);

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
