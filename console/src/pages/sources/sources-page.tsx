import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { sourcesQuery } from '../../api/queries';
import { FilterForm } from '../../parts/lists/filter-form';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import { NewSource } from './set-up/new-source';
import { SourceStatus } from './source-status';

const route = getRouteApi('/sources');

/** URLs for producers, one for each. */
export function SourcesPage(): ReactNode {
  const search = route.useSearch();
  const { tenantId } = search;
  const navigate = useNavigate();
  const list = useInfiniteQuery(sourcesQuery(tenantId));
  const rows = list.data?.pages.flatMap((page) => page.sources) ?? [];
  const mayOperate = useMay('operator');
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Page
      title="Sources"
      actions={
        mayOperate && (
          <button type="button" className="primary" onClick={() => setIsCreating(true)}>
            New source …
          </button>
        )
      }
    >
      <FilterForm
        fields={[{ name: 'tenantId', label: 'Tenant' }]}
        search={search}
        onFilter={(sent) => void navigate({ to: '/sources', search: sent })}
      />
      <List
        list={list}
        count={rows.length}
        noun="source"
        empty={
          <Empty>
            <p>{tenantId === undefined ? 'There is no source yet.' : 'This tenant has no source.'}</p>
            <p>
              A source is a URL for one producer that sends what it always sends, such as the webhooks of a provider.
            </p>
          </Empty>
        }
      >
        <SourceTable rows={rows} />
      </List>
      {isCreating && <NewSource tenantId={tenantId ?? ''} onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

function SourceTable({ rows }: { rows: Schema<'SourceResponse'>[] }) {
  return (
    <Table columns={['Status', 'Name', 'Tenant', 'Provider', 'URL', 'Changed']}>
      {rows.map((source) => (
        <tr key={source.id}>
          <td>
            <SourceStatus source={source} />
          </td>
          <td>
            <Link to="/sources/$sourceId" params={{ sourceId: source.id }} data-row>
              <Text>{source.name}</Text>
            </Link>
          </td>
          <td>{source.tenantId}</td>
          <td>{source.provider}</td>
          <td className="error-cell">
            <Text>{source.urlHint}</Text>
          </td>
          <td className="nowrap">
            <Ago at={source.updatedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
