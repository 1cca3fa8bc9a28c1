import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { discardDeadLetters, replayEvents, retryDeadLetters, type EventSelection } from '../../actions/bulk-actions';
import { eventsQuery } from '../../api/queries';
import { formatBytes } from '../../format/numbers';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { FilterForm, type FilterField } from '../../parts/lists/filter-form';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import type { Schema } from '../../api/endpoints';
import type { EventFilterName, EventSearch } from './event-search';
import { NoEvents } from './no-events';

const route = getRouteApi('/events');
const STATUSES = ['RECEIVED', 'PUBLISHED', 'DELIVERING', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'];
const FIELDS: FilterField<EventFilterName>[] = [
  { name: 'status', label: 'Status', options: STATUSES },
  { name: 'tenantId', label: 'Tenant' },
  { name: 'type', label: 'Type', placeholder: 'order.*' },
  { name: 'subject', label: 'Subject' },
  { name: 'reasonCode', label: 'Reason', placeholder: 'HTTP_5XX' },
  { name: 'destinationId', label: 'Destination id' },
  { name: 'correlationId', label: 'Correlation id' },
  { name: 'from', label: 'Received from (UTC)', placeholder: '2026-11-24T00:00:00Z' },
  { name: 'to', label: 'until', placeholder: '2026-11-25T00:00:00Z' },
];

/** Events, newest first. The address has the filter, so the list can be shared. */
export function EventsPage(): ReactNode {
  const search = route.useSearch();
  const navigate = useNavigate();
  const isFiltered = Object.keys(search).length > 0;
  const events = useInfiniteQuery({
    ...eventsQuery(search as EventSelection),
    refetchInterval: ({ state }) => isFiltered && watchMs(state.data?.pages ?? []),
  });
  const rows = events.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <Page
      title="Events"
      actions={
        <>
          <button type="button" onClick={() => void events.refetch()} disabled={events.isFetching}>
            {events.isFetching ? 'Loading …' : 'Refresh'}
          </button>
          <ActionsOnAll search={search} />
        </>
      }
    >
      <FilterForm fields={FIELDS} search={search} onFilter={(sent) => void navigate({ to: '/events', search: sent })} />
      <List list={events} count={rows.length} noun="event" empty={<Nothing isFiltered={isFiltered} />}>
        <EventTable rows={rows} />
      </List>
    </Page>
  );
}

const WATCH_MS = 3_000;
const IN_PROGRESS: ReadonlySet<string> = new Set(['RECEIVED', 'PUBLISHED', 'DELIVERING', 'RETRYING']);

/** A list of one page is read again while an event of it is in progress; more pages stay as they were read. */
function watchMs([page, ...others]: readonly Schema<'EventsPage'>[]): number | false {
  const isInProgress = page?.events.some(({ status }) => IN_PROGRESS.has(status)) ?? false;
  return isInProgress && others.length === 0 && WATCH_MS;
}

/** Actions on all events that match the filter. Without a filter there are none: nobody means everything. */
function ActionsOnAll({ search }: { search: EventSearch }) {
  const maySupport = useMay('support');
  const mayReplay = useMay('operator');
  if (Object.keys(search).length === 0) return null;
  const { status, ...others } = search;
  const { tenantId } = search;
  const isDead = status === 'DLQ' || (status === undefined && (search.reasonCode ?? search.group) !== undefined);
  const dead = { ...others, ...(Object.keys(others).length === 0 ? { from: BEGINNING } : {}) } as EventSelection;
  const buttons: BulkButton[] = [
    ...(isDead && maySupport
      ? [
          { label: 'Retry all …', isPrimary: true, action: retryDeadLetters(dead) },
          { label: 'Discard all …', action: discardDeadLetters(dead) },
        ]
      : []),
    ...(mayReplay && tenantId !== undefined
      ? [{ label: 'Replay all …', action: replayEvents({ ...(search as EventSelection), tenantId }, 'republish') }]
      : []),
  ];
  return <BulkButtons buttons={buttons} />;
}

/** A bulk action needs a filter, and takes no status of its own beside DLQ. */
const BEGINNING = '1970-01-01T00:00:00Z';

function EventTable({ rows }: { rows: Schema<'ListedEvent'>[] }) {
  return (
    <Table columns={['Status', 'Type', 'Subject', 'Tenant', 'Received', numeric('Size'), 'Last error']}>
      {rows.map((event) => (
        <tr key={event.id}>
          <td>
            <StatusBadge status={event.status} />
          </td>
          <td>
            <Link to="/events/$eventId" params={{ eventId: event.id }} data-row>
              <Text>{event.type}</Text>
            </Link>
          </td>
          <td>
            <Text>{event.subject}</Text>
          </td>
          <td>{event.tenantId}</td>
          <td className="nowrap">
            <Ago at={event.receivedAt} />
          </td>
          <td className="number nowrap">{formatBytes(event.sizeBytes)}</td>
          <td className="error-cell">{event.lastError !== null && <Text>{event.lastError}</Text>}</td>
        </tr>
      ))}
    </Table>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (!isFiltered) return <NoEvents />;
  return (
    <Empty>
      <p>No event matches this filter.</p>
      <p>
        <Link to="/events">Show all events</Link>
      </p>
    </Empty>
  );
}
