import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { FormDialog } from '../../actions/form-dialog';
import { act } from '../../api/client';
import type { Schema } from '../../api/endpoints';
import { eventsToTryQuery } from '../../api/queries';
import { formatInstant } from '../../format/times';
import { visibleText } from '../../json/visible-text';
import { Fault } from '../../parts/fault';
import { useSettled } from '../../parts/hooks/use-settled';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { bodyOfRules, faultOfRules } from './rules-text';
import { ShownRequest } from './shown-request';

const TYPING_MS = 500;

/** Changes filter and transform, and shows at each change what becomes of one of the newest events. */
export function RulesEditor({
  destination,
  onClose,
}: {
  destination: Schema<'DestinationResponse'>;
  onClose: () => void;
}) {
  const ids = { filter: useId(), transform: useId() };
  const [filter, setFilter] = useState(destination.filter ? JSON.stringify(destination.filter, null, 2) : '');
  const [transform, setTransform] = useState(destination.transform ?? '');
  const fault = faultOfRules({ filter, transform });
  return (
    <FormDialog
      title="Edit filter and transform"
      act="Save the rules"
      isReady={fault === undefined}
      run={() =>
        act('patch', '/v1/admin/destinations/{id}', {
          path: { id: destination.id },
          bodyText: bodyOfRules({ filter, transform }),
        })
      }
      onClose={onClose}
    >
      <p>
        The filter decides which new events are delivered. The transform makes the body of every delivery from now on.
      </p>
      <label htmlFor={ids.filter}>Filter over the event, as JSON; empty: every event of its types</label>
      <textarea
        id={ids.filter}
        className="editor"
        rows={5}
        spellCheck={false}
        placeholder='{"payload":{"amount":{"$gt":100}}}'
        value={filter}
        aria-invalid={fault !== undefined}
        onChange={(event) => setFilter(event.target.value)}
      />
      {fault !== undefined && <p className="fault">{fault}</p>}
      <label htmlFor={ids.transform}>Transform, JSONata or a JSON Pointer; empty: the event as it is</label>
      <textarea
        id={ids.transform}
        className="editor"
        rows={3}
        spellCheck={false}
        placeholder='{ "text": "Order " & subject }'
        value={transform}
        onChange={(event) => setTransform(event.target.value)}
      />
      <Trial destination={destination} filter={filter} transform={transform} />
    </FormDialog>
  );
}

interface TrialProps {
  destination: Schema<'DestinationResponse'>;
  filter: string;
  transform: string;
}

function Trial({ destination, filter, transform }: TrialProps) {
  const { id } = destination;
  const selectId = useId();
  const events = useQuery(eventsToTryQuery(destination));
  const [chosen, setChosen] = useState<string>();
  const rows = events.data?.events ?? [];
  const eventId = (rows.find((event) => event.id === chosen) ?? rows[0])?.id;
  const isWrong = faultOfRules({ filter, transform }) !== undefined;
  const body = useSettled(bodyOfRules({ filter, transform }, { eventId, dryRun: true }), TYPING_MS);
  const { data, error } = useQuery({
    queryKey: ['try-rules', id, body],
    queryFn: () => act('post', '/v1/admin/destinations/{id}/test', { path: { id }, bodyText: body }),
    enabled: eventId !== undefined && !isWrong,
    placeholderData: keepPreviousData,
    ...{ retry: false, staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false },
  });
  if (!events.data) return events.error ? <Fault error={events.error} /> : <p className="wait">Loading …</p>;
  if (rows.length === 0) return <p className="hint">There is no event to try it on yet.</p>;
  return (
    <>
      <label htmlFor={selectId}>Tried on</label>
      <select id={selectId} value={eventId} onChange={(event) => setChosen(event.target.value)}>
        {rows.map((event) => (
          <option key={event.id} value={event.id}>
            {formatInstant(event.receivedAt)}, {visibleText(event.type)}, {visibleText(event.subject)}
          </option>
        ))}
      </select>
      {error && <Fault error={error} />}
      {data && !error && <Result of={data} />}
    </>
  );
}

function Result({ of: { matches, reasonCode, message, request } }: { of: Schema<'TestDeliveryResponse'> }) {
  return (
    <div role="status" className="stack">
      <p>
        <StatusBadge status={request ? 'passed' : matches === false ? 'skipped' : 'failed'} />{' '}
        {request ? 'This would be sent:' : <Text>{reasonCode === null ? message : `${reasonCode}: ${message}`}</Text>}
      </p>
      {request && <ShownRequest of={request} />}
    </div>
  );
}
