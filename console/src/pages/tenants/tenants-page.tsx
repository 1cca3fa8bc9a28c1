import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { tenantsQuery } from '../../api/access-queries';
import type { Schema } from '../../api/endpoints';
import { FilterForm } from '../../parts/lists/filter-form';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useCaller, useMay } from '../../session/caller';
import { NewTenant } from './new-tenant';
import { limitText } from './tenant-words';
import { readTenantSearch, TENANT_STATUSES } from './tenant-search';

const route = getRouteApi('/tenants');

/** The registered tenants, in the order of their ids. */
export function TenantsPage(): ReactNode {
  const search = route.useSearch();
  const navigate = useNavigate();
  const list = useInfiniteQuery(tenantsQuery(search));
  const rows = list.data?.pages.flatMap((page) => page.tenants) ?? [];
  const { seesAll } = useCaller();
  const mayCreate = useMay('owner') && seesAll;
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Page
      title="Tenants"
      actions={
        mayCreate && (
          <button type="button" className="primary" onClick={() => setIsCreating(true)}>
            New tenant …
          </button>
        )
      }
    >
      <FilterForm
        fields={[{ name: 'status', label: 'Status', options: TENANT_STATUSES }]}
        search={search}
        onFilter={(sent) => void navigate({ to: '/tenants', search: readTenantSearch(sent) })}
      />
      <List
        list={list}
        count={rows.length}
        noun="tenant"
        empty={
          <Empty>
            <p>{search.status === undefined ? 'No tenant is registered yet.' : `No tenant is ${search.status}.`}</p>
            <p>
              Register a tenant to give it API keys, limits of its own, or to suspend it. Unless{' '}
              <code>TENANT_AUTH=key</code>, events are also taken of tenants that are not registered.
            </p>
          </Empty>
        }
      >
        <TenantTable rows={rows} />
      </List>
      {isCreating && <NewTenant onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

function TenantTable({ rows }: { rows: Schema<'TenantResponse'>[] }) {
  return (
    <Table columns={['Status', 'Id', 'Name', numeric('Events a minute'), numeric('Bytes a minute'), 'Changed']}>
      {rows.map((tenant) => (
        <tr key={tenant.id}>
          <td>
            <StatusBadge status={tenant.status} />
          </td>
          <td>
            <Link to="/tenants/$tenantId" params={{ tenantId: tenant.id }} data-row>
              <Text>{tenant.id}</Text>
            </Link>
          </td>
          <td>
            <Text>{tenant.name}</Text>
          </td>
          <td className="number">{limitText(tenant.eventsPerMinute)}</td>
          <td className="number">{limitText(tenant.bytesPerMinute)}</td>
          <td className="nowrap">
            <Ago at={tenant.updatedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
