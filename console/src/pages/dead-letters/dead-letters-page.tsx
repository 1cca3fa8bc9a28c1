import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useId, type FormEvent, type ReactNode } from 'react';
import type { EventSelection } from '../../actions/bulk-actions';
import { reasonsQuery } from '../../api/queries';
import { countOf, formatCount } from '../../format/numbers';
import { Fault } from '../../parts/fault';
import { Empty, Page } from '../../parts/page';
import { readDeadLetterSearch, type DeadLetterSearch } from './dead-letter-search';
import { GroupTable } from './group-table';

const route = getRouteApi('/dead-letters');
const GROUPS_SHOWN = 100;

/** Dead letters by cause and destination, so that one repair is one action. */
export function DeadLettersPage(): ReactNode {
  const search = route.useSearch();
  const reasons = useQuery(reasonsQuery(search as EventSelection, GROUPS_SHOWN));
  const { data, error } = reasons;
  return (
    <Page
      title="Dead letters"
      actions={
        <button type="button" onClick={() => void reasons.refetch()} disabled={reasons.isFetching}>
          {reasons.isFetching ? 'Loading …' : 'Refresh'}
        </button>
      }
    >
      <Filter key={JSON.stringify(search)} search={search} />
      {!data &&
        (error ? <Fault error={error} onRetry={() => void reasons.refetch()} /> : <p className="wait">Loading …</p>)}
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
            {data.capped && `; only the newest ${formatCount(50_000)} were counted`}.
          </p>
          <GroupTable groups={data.reasons} search={search} />
        </>
      )}
    </Page>
  );
}

const FIELDS = [
  { name: 'tenantId', label: 'Tenant' },
  { name: 'type', label: 'Type' },
  { name: 'reasonCode', label: 'Reason' },
  { name: 'destinationId', label: 'Destination id' },
] as const;

function Filter({ search }: { search: DeadLetterSearch }) {
  const navigate = useNavigate();
  const id = useId();
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const sent = readDeadLetterSearch(Object.fromEntries(new FormData(event.currentTarget)));
    void navigate({ to: '/dead-letters', search: sent });
  }
  return (
    <form className="filters" aria-label="Filter" onSubmit={submit}>
      {FIELDS.map(({ name, label }) => (
        <div className="field" key={name}>
          <label htmlFor={`${id}-${name}`}>{label}</label>
          <input
            id={`${id}-${name}`}
            name={name}
            defaultValue={search[name] ?? ''}
            spellCheck={false}
            autoComplete="off"
          />
        </div>
      ))}
      <div className="field buttons">
        <button type="submit">Filter</button>
        {Object.keys(search).length > 0 && (
          <button type="button" onClick={() => void navigate({ to: '/dead-letters', search: {} })}>
            Clear
          </button>
        )}
      </div>
    </form>
  );
}
