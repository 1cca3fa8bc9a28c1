import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { tenantQuery } from '../../api/access-queries';
import type { Schema } from '../../api/endpoints';
import { Facts } from '../../parts/texts/facts';
import { Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { Expectations } from '../silence/expectations';
import { ApiKeys } from './keys/api-keys';
import { TenantActions } from './tenant-actions';
import { limitText } from './tenant-words';

const route = getRouteApi('/tenants/$tenantId');

/** One registered tenant: its limits, its API keys, and what it has. */
export function TenantPage(): ReactNode {
  const { tenantId } = route.useParams();
  const { data: tenant, error, refetch } = useQuery(tenantQuery(tenantId));
  if (!tenant) {
    return (
      <Page title="Tenant">
        <Pending error={error} refetch={refetch} />
        <p>
          <Link to="/tenants">All tenants</Link>
        </p>
      </Page>
    );
  }
  return (
    <Page title={tenant.name} actions={<TenantActions tenant={tenant} />}>
      <p className="lead">
        <StatusBadge status={tenant.status} />{' '}
        {tenant.status === 'active'
          ? 'Its events are accepted.'
          : 'Its events are refused with 403, and requests to its sources with 503.'}
      </p>
      <p>
        <Things tenantId={tenant.id} />
      </p>
      <TenantFacts tenant={tenant} />
      <ApiKeys tenantId={tenant.id} />
      <Expectations tenantId={tenant.id} />
    </Page>
  );
}

/** The lists of what the tenant has. */
function Things({ tenantId }: { tenantId: string }) {
  const search = { tenantId };
  return (
    <>
      <Link to="/events" search={search}>
        Events
      </Link>
      {' · '}
      <Link to="/dead-letters" search={search}>
        Dead letters
      </Link>
      {' · '}
      <Link to="/sources" search={search}>
        Sources
      </Link>
      {' · '}
      <Link to="/destinations" search={search}>
        Destinations
      </Link>
      {' · '}
      <Link to="/audit" search={search}>
        Audit
      </Link>
    </>
  );
}

function TenantFacts({ tenant }: { tenant: Schema<'TenantResponse'> }) {
  const { id, eventsPerMinute, bytesPerMinute, weight, redact, metadata, createdAt, updatedAt } = tenant;
  return (
    <Section title="Settings">
      <Facts
        facts={{
          Id: <Text>{id}</Text>,
          'Events a minute': limitText(eventsPerMinute),
          'Bytes a minute': limitText(bytesPerMinute),
          Weight: String(weight),
          Redacted: redact.length > 0 && <Text>{redact.join(', ')}</Text>,
          Metadata: Object.keys(metadata).length > 0 && <code className="break">{JSON.stringify(metadata)}</code>,
          Created: <Instant at={createdAt} />,
          Changed: updatedAt !== createdAt && <Instant at={updatedAt} />,
        }}
      />
    </Section>
  );
}
