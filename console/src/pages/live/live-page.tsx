import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { urlOf } from '../../api/url-of';
import { countOf, formatCount } from '../../format/numbers';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Fault } from '../../parts/fault';
import { FilterForm, type FilterField } from '../../parts/lists/filter-form';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { LiveList } from './live-list';
import type { Live } from './live-rows';
import type { LiveFilterName, LiveSearch } from './live-search';
import { useLive } from './use-live';

const route = getRouteApi('/live');
const STATUSES = ['RECEIVED', 'PUBLISHED', 'DELIVERING', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'];
const FIELDS: FilterField<LiveFilterName>[] = [
  { name: 'status', label: 'Status', options: STATUSES },
  { name: 'tenantId', label: 'Tenant' },
  { name: 'type', label: 'Type', placeholder: 'order.*' },
  { name: 'source', label: 'Source' },
  { name: 'text', label: 'Text in ids or subject' },
];

/** Events as they come. A row leads to its event, whose page follows it. */
export function LivePage(): ReactNode {
  const search = route.useSearch();
  return <LiveEvents key={JSON.stringify(search)} search={search} />;
}

function LiveEvents({ search }: { search: LiveSearch }) {
  const navigate = useNavigate();
  const { status, ...filter } = search;
  const { live, isConnected, error } = useLive(filter);
  /** What is shown while the list stands still. */
  const [held, setHeld] = useState<Live>();
  const shown = held ?? live;
  const rows = status === undefined ? shown.rows : shown.rows.filter((row) => row.status === status);
  return (
    <Page
      title="Live"
      actions={
        <>
          <button type="button" aria-pressed={held !== undefined} onClick={() => setHeld(held ? undefined : live)}>
            {held ? `Go on${newSince(held, live)}` : 'Pause'}
          </button>
          <CopyCurl method="GET" path={urlOf('/v1/admin/live', {}, filter)} isStream />
        </>
      }
    >
      <FilterForm fields={FIELDS} search={search} onFilter={(sent) => void navigate({ to: '/live', search: sent })} />
      <p className="lead" role="status">
        <StatusBadge status={held ? 'paused' : isConnected ? 'connected' : 'connecting'} />{' '}
        <span>{countOf(rows.length, 'event')}</span>
        {leftOutOf(shown)}
      </p>
      {error !== undefined && <Fault error={error} />}
      {rows.length === 0 ? (
        <Empty>
          <p>Nothing {Object.keys(search).length > 0 ? 'that matches has come yet' : 'has come yet'}.</p>
          <p>
            What comes from now on shows here by itself. <Link to="/events">All events</Link>
          </p>
        </Empty>
      ) : (
        <LiveList rows={rows} />
      )}
    </Page>
  );
}

/** `; 3 more came than can be shown` */
function leftOutOf({ dropped, isMore }: Live): string {
  if (isMore) return '; more came than can be shown, and some that match may be missing';
  return dropped > 0 ? `; ${formatCount(dropped)} more came than can be shown` : '';
}

/** ` (3 new)` */
function newSince(held: Live, live: Live): string {
  const [newest] = held.rows;
  const count = newest === undefined ? live.rows.length : live.rows.findIndex(({ id }) => id === newest.id);
  return count > 0 ? ` (${formatCount(count)} new)` : '';
}
