import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { textsIn } from '../../json/filter-text';
import { chosenEventLinks, linksOf } from '../../parts/texts/event-links';
import { readEventSearch } from '../events/event-search';
import { readRejectionSearch } from '../rejections/rejection-search';

type Entry = Pick<Schema<'AuditEntryResponse'>, 'action' | 'filter'>;

const ON_EVENTS = /^(replay|dlq\.|event\.|deliveries\.|erasure)/;

/** Links to what an action concerned: the things that it names, and what its filter finds now. */
export function Concerned({ entry }: { entry: Entry }) {
  const links = [...eventLinks(entry), ...rejectionLinks(entry), ...thingLinks(entry)];
  if (links.length === 0) return <p className="hint">It names nothing that has a page.</p>;
  return (
    <ul className="lines">
      {links.map((link, i) => (
        <li key={i}>{link}</li>
      ))}
    </ul>
  );
}

function eventLinks({ action, filter }: Entry): ReactNode[] {
  if (!ON_EVENTS.test(action)) return [];
  const chosen = chosenEventLinks(filter);
  if (chosen.length > 0) return chosen;
  const { status: _then, ...search } = readEventSearch({ to: filter.before, ...filter });
  if (Object.keys(search).length === 0) return [];
  return [
    <Link key="events" to="/events" search={search}>
      Events that its filter finds now, whatever their status
    </Link>,
  ];
}

function rejectionLinks({ action, filter }: Entry): ReactNode[] {
  if (!action.startsWith('rejections.')) return [];
  const ids = textsIn(filter, 'ids');
  if (ids.length > 0) {
    return linksOf(ids, 'rejection', (rejectionId) => (
      <Link key={rejectionId} to="/rejections/one/$rejectionId" params={{ rejectionId }}>
        Rejection <code>{rejectionId}</code>
      </Link>
    ));
  }
  return [
    <Link key="rejections" to="/rejections" search={readRejectionSearch(filter)}>
      Rejections that its filter finds now
    </Link>,
  ];
}

/** A replay, a destination, a source or a tenant. */
function thingLinks({ action, filter }: Entry): ReactNode[] {
  const text = (name: string): string | undefined => {
    const value = filter[name];
    return typeof value === 'string' ? value : undefined;
  };
  const kind = action.split('.')[0];
  const replayId = text('replayId');
  const destinationId = text('destinationId') ?? (kind === 'destination' ? text('id') : undefined);
  const sourceId = text('sourceId') ?? (kind === 'source' ? text('id') : undefined);
  const tenantId = kind === 'tenant' ? text('id') : kind === 'key' ? text('tenantId') : undefined;
  return [
    replayId !== undefined && (
      <Link key="replay" to="/replays/$replayId" params={{ replayId }}>
        The replay
      </Link>
    ),
    destinationId !== undefined && (
      <Link key="destination" to="/destinations/$destinationId" params={{ destinationId }}>
        The destination
      </Link>
    ),
    sourceId !== undefined && (
      <Link key="source" to="/sources/$sourceId" params={{ sourceId }}>
        The source
      </Link>
    ),
    tenantId !== undefined && (
      <Link key="tenant" to="/tenants/$tenantId" params={{ tenantId }}>
        The tenant
      </Link>
    ),
  ].filter((link) => link !== false);
}
