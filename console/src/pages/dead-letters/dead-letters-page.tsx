import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EventSelection } from '../../actions/bulk-actions';
import { reasonsQuery } from '../../api/queries';
import { countOf, formatCount } from '../../format/numbers';
import { FilterForm } from '../../parts/lists/filter-form';
import { Empty, Page } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { GroupTable } from './group-table';

const route = getRouteApi('/dead-letters');
const GROUPS_SHOWN = 100;
const FIELDS = [
  { name: 'tenantId', label: 'Tenant' },
  { name: 'type', label: 'Type' },
  { name: 'reasonCode', label: 'Reason' },
  { name: 'destinationId', label: 'Destination id' },
] as const;

/** Dead letters by cause and destination, so that one repair is one action. */
export function DeadLettersPage(): ReactNode {
  const search = route.useSearch();
  const reasons = useQuery(reasonsQuery(search as EventSelection, GROUPS_SHOWN));
  const navigate = useNavigate();
  const { data } = reasons;
  return (
    <Page
      title="Dead letters"
      actions={
        <button type="button" onClick={() => void reasons.refetch()} disabled={reasons.isFetching}>
          {reasons.isFetching ? 'Loading …' : 'Refresh'}
        </button>
      }
    >
      <FilterForm
        fields={FIELDS}
        search={search}
        onFilter={(sent) => void navigate({ to: '/dead-letters', search: sent })}
      />
      {!data && <Pending {...reasons} />}
      {data?.reasons.length === 0 && (
        <Empty>
          <p>No event waits for a person{Object.keys(search).length > 0 && ' under this filter'}.</p>
          <p>
            <Link to="/events">Events</Link>
          </p>
        </Empty>
      )}
      {data && data.reasons.length > 0 && (
        <>
          <p className="lead">
            {countOf(data.total, 'dead letter')} in {countOf(data.reasons.length, 'group')}
            {data.reasons.length === GROUPS_SHOWN && ' or more; the largest are shown'}
            {data.capped && `; only the newest ${formatCount(20_000)} were counted`}.
          </p>
          <GroupTable groups={data.reasons} search={search} />
        </>
      )}
    </Page>
  );
}
