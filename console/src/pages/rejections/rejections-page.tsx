import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { rejectionReasonsQuery, type RejectionFilter } from '../../api/queries';
import { countOf, formatCount } from '../../format/numbers';
import { FilterForm, type FilterField } from '../../parts/lists/filter-form';
import { Ago } from '../../parts/texts/instant';
import { Empty, Page } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { SourceLink } from '../../parts/texts/source-name';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { Trend } from '../../parts/texts/trend';
import type { RejectionFilterName, RejectionSearch } from './rejection-search';

const route = getRouteApi('/rejections');
const GROUPS_SHOWN = 100;
const FIELDS: FilterField<RejectionFilterName>[] = [
  { name: 'status', label: 'Status', options: ['RESUBMITTED', 'DISCARDED'], none: 'OPEN' },
  { name: 'tenantId', label: 'Tenant' },
  { name: 'sourceId', label: 'Source id' },
  { name: 'code', label: 'Code', placeholder: 'invalid-event' },
  { name: 'type', label: 'Type', placeholder: 'order.*' },
  { name: 'correlationId', label: 'Correlation id' },
];

/** What was refused, by cause, so that one repair is one action. Open ones, unless the filter says otherwise. */
export function RejectionsPage(): ReactNode {
  const search = route.useSearch();
  const navigate = useNavigate();
  const reasons = useQuery(rejectionReasonsQuery(search as RejectionFilter, GROUPS_SHOWN));
  const { data } = reasons;
  return (
    <Page
      title="Rejections"
      actions={
        <button type="button" onClick={() => void reasons.refetch()} disabled={reasons.isFetching}>
          {reasons.isFetching ? 'Loading …' : 'Refresh'}
        </button>
      }
    >
      <FilterForm
        fields={FIELDS}
        search={search}
        onFilter={(sent) => void navigate({ to: '/rejections', search: sent })}
      />
      {!data && <Pending {...reasons} />}
      {data?.reasons.length === 0 && (
        <Empty>
          <p>
            No {search.status ?? 'open'} rejection{Object.keys(search).length > 0 && ' under this filter'}.
          </p>
          <p>
            What a known tenant or source sends and StreamForge refuses is kept here, with its bytes. See{' '}
            <Link to="/sources">Sources</Link> for requests whose signature was wrong: they are not kept.
          </p>
        </Empty>
      )}
      {data && data.reasons.length > 0 && (
        <>
          <p className="lead">
            {countOf(data.total, 'rejection')} in {countOf(data.reasons.length, 'group')}
            {data.reasons.length === GROUPS_SHOWN && ' or more; the largest are shown'}
            {data.capped && `; only the newest ${formatCount(20_000)} were counted`}.
          </p>
          <GroupTable groups={data.reasons} search={search} />
        </>
      )}
    </Page>
  );
}

interface Groups {
  groups: Schema<'RejectionReasonsResponse'>['reasons'];
  search: RejectionSearch;
}

function GroupTable({ groups, search }: Groups) {
  return (
    <Table columns={['Code', 'Message', 'Place', 'Source', numeric('Count'), numeric('Last hour'), 'First', 'Last']}>
      {groups.map((group) => (
        <tr key={group.id}>
          <td className="nowrap">
            <Link to="/rejections/$group" params={{ group: group.id }} search={search} data-row>
              {group.code}
            </Link>
          </td>
          <td className="error-cell">
            <Text>{group.message}</Text>
          </td>
          <td>{group.pointer !== null && <Text>{group.pointer}</Text>}</td>
          <td>{group.sourceId === null ? 'api' : <SourceLink id={group.sourceId} />}</td>
          <td className="number">{formatCount(group.count)}</td>
          <td className="number nowrap">
            <Trend lastHour={group.lastHour} hourBefore={group.hourBefore} />
          </td>
          <td className="nowrap">
            <Ago at={group.firstSeenAt} />
          </td>
          <td className="nowrap">
            <Ago at={group.lastSeenAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
