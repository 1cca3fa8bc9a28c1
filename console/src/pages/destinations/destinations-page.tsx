import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useId, type FormEvent, type ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { destinationQuery, destinationsQuery } from '../../api/queries';
import { countOf, formatCount, formatRatio } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { Fault } from '../../parts/fault';
import { MoreRows } from '../../parts/more-rows';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/status-badge';
import { Text } from '../../parts/text';

const route = getRouteApi('/destinations');

/** Destinations with their health. Each row reads its own health, for 20 rows at a time. */
export function DestinationsPage(): ReactNode {
  const { tenantId } = route.useSearch();
  const list = useInfiniteQuery(destinationsQuery(tenantId));
  const rows = list.data?.pages.flatMap((page) => page.destinations) ?? [];
  return (
    <Page title="Destinations">
      <TenantFilter key={tenantId} tenantId={tenantId} />
      {list.isPending && <p className="wait">Loading …</p>}
      {list.error && rows.length === 0 && <Fault error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && rows.length === 0 && (
        <Empty>
          <p>{tenantId === undefined ? 'There is no destination yet.' : 'This tenant has no destination.'}</p>
          <p>
            <code>POST /v1/admin/destinations</code> registers one.
          </p>
        </Empty>
      )}
      {rows.length > 0 && (
        <>
          <DestinationTable rows={rows} />
          <MoreRows {...list} error={list.error} shown={countOf(rows.length, 'destination')} />
        </>
      )}
    </Page>
  );
}

function TenantFilter({ tenantId }: { tenantId: string | undefined }) {
  const navigate = useNavigate();
  const id = useId();
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const sent = new FormData(event.currentTarget).get('tenantId');
    const text = typeof sent === 'string' ? sent.trim() : '';
    void navigate({ to: '/destinations', search: text === '' ? {} : { tenantId: text } });
  }
  return (
    <form className="filters" aria-label="Filter" onSubmit={submit}>
      <div className="field">
        <label htmlFor={id}>Tenant</label>
        <input id={id} name="tenantId" defaultValue={tenantId ?? ''} spellCheck={false} autoComplete="off" />
      </div>
      <div className="field buttons">
        <button type="submit">Filter</button>
      </div>
    </form>
  );
}

function DestinationTable({ rows }: { rows: Schema<'DestinationResponse'>[] }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">URL</th>
            <th scope="col">Tenant</th>
            <th scope="col">Types</th>
            <th scope="col">Circuit</th>
            <th scope="col" className="number">
              Success
            </th>
            <th scope="col" className="number">
              p95
            </th>
            <th scope="col" className="number">
              Waiting
            </th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </div>
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
