import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { auditQuery } from '../../api/operations-queries';
import { formatCount } from '../../format/numbers';
import { filterText } from '../../json/filter-text';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { FilterFacts } from '../../parts/texts/filter-facts';
import { FilterForm, type FilterField } from '../../parts/lists/filter-form';
import { FoldedRow } from '../../parts/lists/folded-row';
import { Ago, Instant } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { writeAddress } from '../../address';
import { ACTIONS, wordsOf } from './action-words';
import type { AuditFilterName } from './audit-search';
import { Concerned } from './concerned';

type Entry = Schema<'AuditEntryResponse'>;

const route = getRouteApi('/audit');
const FIELDS: FilterField<AuditFilterName>[] = [
  { name: 'actor', label: 'Operator', placeholder: 'ada' },
  { name: 'action', label: 'Action', options: ACTIONS },
  { name: 'tenantId', label: 'Tenant' },
  { name: 'from', label: 'From (UTC)', placeholder: '2026-11-24T00:00:00Z' },
  { name: 'to', label: 'until', placeholder: '2026-11-25T00:00:00Z' },
];
const COLUMNS = ['When', 'Who', 'What', 'Changed', 'Asked for', 'Note'];

/** What operators changed and what was refused, newest first. Nothing of it can be changed or deleted. */
export function AuditPage(): ReactNode {
  const search = route.useSearch();
  const navigate = useNavigate();
  const list = useInfiniteQuery(auditQuery(search));
  const rows = list.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Page
      title="Audit"
      actions={
        <>
          <button type="button" onClick={() => void list.refetch()} disabled={list.isFetching}>
            {list.isFetching ? 'Loading …' : 'Refresh'}
          </button>
          <CopyCurl method="GET" path={`/v1/admin/audit${writeAddress(search)}`} />
        </>
      }
    >
      <FilterForm fields={FIELDS} search={search} onFilter={(sent) => void navigate({ to: '/audit', search: sent })} />
      <List
        list={list}
        count={rows.length}
        noun="entry"
        empty={<Nothing isFiltered={Object.keys(search).length > 0} />}
      >
        <Table columns={COLUMNS}>
          {rows.map((entry) => (
            <EntryRow key={entry.id} entry={entry} />
          ))}
        </Table>
      </List>
    </Page>
  );
}

function EntryRow({ entry }: { entry: Entry }) {
  const { at, actor, role, action, counts, filter, note } = entry;
  return (
    <FoldedRow label={<Ago at={at} />} columns={COLUMNS.length} details={<EntryDetails entry={entry} />}>
      <td>
        <Text>{actor}</Text> {role !== null && <span className="hint">{role}</span>}
      </td>
      <td>{wordsOf(action)}</td>
      <td>{countsText(counts)}</td>
      <td className="error-cell">
        <Text>{filterText(filter)}</Text>
      </td>
      <td className="error-cell">{note !== null && <Text>{note}</Text>}</td>
    </FoldedRow>
  );
}

/** `matched 3, retried 3` */
const countsText = (counts: Entry['counts']): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ');

function EntryDetails({ entry }: { entry: Entry }) {
  const { id, at, action, address, correlationId, filter, note } = entry;
  return (
    <>
      <Concerned entry={entry} />
      <FilterFacts filter={filter} />
      <Facts
        facts={{
          At: <Instant at={at} />,
          Action: (
            <Link to="/audit" search={{ action }}>
              <code>{action}</code>
            </Link>
          ),
          Address: address,
          Note: note !== null && <Text>{note}</Text>,
          'Correlation id': <Text>{correlationId}</Text>,
          Id: <code>{id}</code>,
        }}
      />
    </>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (!isFiltered) {
    return (
      <Empty>
        <p>Nothing was changed yet.</p>
        <p>Each action of an operator is recorded here, with what was asked for and what it changed.</p>
      </Empty>
    );
  }
  return (
    <Empty>
      <p>No entry matches this filter.</p>
      <p>
        <Link to="/audit">Show all entries</Link>
      </p>
    </Empty>
  );
}
