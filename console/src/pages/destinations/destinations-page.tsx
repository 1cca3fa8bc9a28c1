import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { destinationQuery, destinationsQuery } from '../../api/queries';
import { formatCount, formatRatio } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { FilterForm } from '../../parts/lists/filter-form';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table, type Column } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';

const route = getRouteApi('/destinations');

/** Destinations with their health. Each row reads its own health, for 20 rows at a time. */
export function DestinationsPage(): ReactNode {
  const search = route.useSearch();
  const { tenantId } = search;
  const navigate = useNavigate();
  const list = useInfiniteQuery(destinationsQuery(tenantId));
  const rows = list.data?.pages.flatMap((page) => page.destinations) ?? [];
  return (
    <Page title="Destinations">
      <FilterForm
        fields={[{ name: 'tenantId', label: 'Tenant' }]}
        search={search}
        onFilter={(sent) => void navigate({ to: '/destinations', search: sent })}
      />
      <List
        list={list}
        count={rows.length}
        noun="destination"
        empty={
          <Empty>
            <p>{tenantId === undefined ? 'There is no destination yet.' : 'This tenant has no destination.'}</p>
            <p>
              <code>POST /v1/admin/destinations</code> registers one.
            </p>
          </Empty>
        }
      >
        <DestinationTable rows={rows} />
      </List>
    </Page>
  );
}

const COLUMNS: Column[] = [
  ...['Status', 'URL', 'Tenant', 'Types', 'Circuit'],
  ...['Success', 'p95', 'Waiting'].map(numeric),
];

function DestinationTable({ rows }: { rows: Schema<'DestinationResponse'>[] }) {
  return (
    <Table columns={COLUMNS}>
      {rows.map((destination) => (
        <tr key={destination.id}>
          <td>
            <StatusBadge status={destination.status} />
          </td>
          <td className="error-cell">
            <Link to="/destinations/$destinationId" params={{ destinationId: destination.id }} data-row>
              <Text>{destination.url}</Text>
            </Link>
            {destination.description !== '' && (
              <div className="hint">
                <Text>{destination.description}</Text>
              </div>
            )}
          </td>
          <td>{destination.tenantId}</td>
          <td>
            <Text>{destination.eventTypes.join(', ')}</Text>
          </td>
          <HealthCells id={destination.id} />
        </tr>
      ))}
    </Table>
  );
}

function HealthCells({ id }: { id: string }) {
  const { data, error } = useQuery(destinationQuery(id));
  if (!data) return <td colSpan={4}>{error ? <span title={error.message}>health not known</span> : '…'}</td>;
  const { circuit, successRate, p95Ms, backlog } = data.health;
  return (
    <>
      <td>
        <StatusBadge status={circuit.state} />
      </td>
      <td className="number">{successRate === null ? '–' : formatRatio(successRate)}</td>
      <td className="number nowrap">{p95Ms === null ? '–' : formatDuration(p95Ms)}</td>
      <td className="number">{formatCount(backlog)}</td>
    </>
  );
}
