import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { discardDeadLetters, replayEvents, retryDeadLetters, type EventSelection } from '../../actions/bulk-actions';
import { eventsQuery } from '../../api/queries';
import { countOf, formatBytes } from '../../format/numbers';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { Fault } from '../../parts/fault';
import { Ago } from '../../parts/instant';
import { MoreRows } from '../../parts/more-rows';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/status-badge';
import { Text } from '../../parts/text';
import { useMay } from '../../session/caller';
import type { Schema } from '../../api/endpoints';
import type { EventSearch } from './event-search';
import { EventFilterForm } from './event-filter-form';
import { NoEvents } from './no-events';

const route = getRouteApi('/events');

/** Events, newest first. The address has the filter, so the list can be shared. */
export function EventsPage(): ReactNode {
  const search = route.useSearch();
  const events = useInfiniteQuery(eventsQuery(search as EventSelection));
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
      <EventFilterForm key={JSON.stringify(search)} search={search} />
      {events.isPending && <p className="wait">Loading …</p>}
      {events.error && rows.length === 0 && <Fault error={events.error} onRetry={() => void events.refetch()} />}
      {events.isSuccess && rows.length === 0 && !events.hasNextPage && (
        <Nothing isFiltered={Object.keys(search).length > 0} />
      )}
      {rows.length > 0 && <EventTable rows={rows} />}
      {(rows.length > 0 || events.hasNextPage) && (
        <MoreRows {...events} shown={countOf(rows.length, 'event')} error={events.error} />
      )}
    </Page>
  );
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
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Type</th>
            <th scope="col">Subject</th>
            <th scope="col">Tenant</th>
            <th scope="col">Received</th>
            <th scope="col" className="number">
              Size
            </th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </div>
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
