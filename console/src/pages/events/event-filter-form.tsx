import { useNavigate } from '@tanstack/react-router';
import { useId, type FormEvent } from 'react';
import { EVENT_FILTERS, readEventSearch, type EventFilterName, type EventSearch } from './event-search';

const STATUSES = ['RECEIVED', 'PUBLISHED', 'DELIVERING', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'];
const FIELDS: { name: EventFilterName; label: string; placeholder?: string }[] = [
  { name: 'tenantId', label: 'Tenant' },
  { name: 'type', label: 'Type', placeholder: 'order.*' },
  { name: 'subject', label: 'Subject' },
  { name: 'reasonCode', label: 'Reason', placeholder: 'HTTP_5XX' },
  { name: 'destinationId', label: 'Destination id' },
  { name: 'correlationId', label: 'Correlation id' },
  { name: 'from', label: 'Received from (UTC)', placeholder: '2026-11-24T00:00:00Z' },
  { name: 'to', label: 'until', placeholder: '2026-11-25T00:00:00Z' },
];
/** Shown as they are when an address has them; links set them, nobody types them. */
const RARE = EVENT_FILTERS.filter((name) => name !== 'status' && FIELDS.every((field) => field.name !== name));

/** The filters as fields. Sending the form changes the address, which changes the list. */
export function EventFilterForm({ search }: { search: EventSearch }) {
  const navigate = useNavigate();
  const id = useId();
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    void navigate({ to: '/events', search: readEventSearch(Object.fromEntries(new FormData(event.currentTarget))) });
  }
  return (
    <form className="filters" aria-label="Filter" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-status`}>Status</label>
        <select
          id={`${id}-status`}
          name="status"
          defaultValue={search.status ?? ''}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          <option value="">any</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </div>
      {[...FIELDS, ...RARE.filter((name) => search[name] !== undefined).map((name) => ({ name, label: name }))].map(
        ({ name, label, ...rest }) => (
          <div className="field" key={name}>
            <label htmlFor={`${id}-${name}`}>{label}</label>
            <input
              id={`${id}-${name}`}
              name={name}
              defaultValue={search[name] ?? ''}
              spellCheck={false}
              autoComplete="off"
              {...rest}
            />
          </div>
        ),
      )}
      <div className="field buttons">
        <button type="submit">Filter</button>
        {Object.keys(search).length > 0 && (
          <button type="button" onClick={() => void navigate({ to: '/events', search: {} })}>
            Clear
          </button>
        )}
      </div>
    </form>
  );
}
