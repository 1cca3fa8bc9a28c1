import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { retryDelivery } from '../../actions/bulk-actions';
import type { Schema } from '../../api/endpoints';
import { deliveryQuery } from '../../api/queries';
import { formatDuration } from '../../format/times';
import { BulkButtons } from '../../actions/bulk-buttons';
import { DestinationName } from '../../parts/texts/destination-name';
import { Ago, Instant } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table, unseen } from '../../parts/lists/table';
import { useMay } from '../../session/caller';

type Delivery = Schema<'DeliveryOfEventResponse'>;

/** The newest delivery to each destination, each with its attempts on demand. */
export function EventDeliveries({ event }: { event: Schema<'EventResponse'> }) {
  if (event.deliveries.length === 0) {
    return (
      <p className="hint">
        No destination of the tenant takes this type of event. <Link to="/destinations">Destinations</Link>
      </p>
    );
  }
  return (
    <Table
      columns={[
        'Status',
        'Destination',
        'Last result',
        numeric('Attempts'),
        'Next try, or delivered',
        unseen('Actions'),
      ]}
    >
      {event.deliveries.map((delivery) => (
        <DeliveryRows key={`${delivery.destinationId} ${delivery.generation}`} id={event.id} delivery={delivery} />
      ))}
    </Table>
  );
}

function DeliveryRows({ id, delivery }: { id: string; delivery: Delivery }) {
  const [isOpen, setIsOpen] = useState(false);
  const maySupport = useMay('support');
  const { destinationId, status, attempts, lastReasonCode, lastStatusCode, nextAttemptAt, deliveredAt } = delivery;
  const mayRetry = maySupport && (status === 'FAILED' || status === 'DISCARDED' || status === 'RETRYING');
  return (
    <>
      <tr>
        <td>
          <StatusBadge status={status} />
        </td>
        <td>
          <Link to="/destinations/$destinationId" params={{ destinationId }} data-row>
            <DestinationName id={destinationId} />
          </Link>
        </td>
        <td>
          {lastReasonCode}
          {lastStatusCode !== null && ` (HTTP ${lastStatusCode})`}
          {delivery.exhausted && ', no attempt left'}
        </td>
        <td className="number">{attempts}</td>
        <td className="nowrap">
          {nextAttemptAt !== null && <Ago at={nextAttemptAt} />}
          {deliveredAt !== null && <Instant at={deliveredAt} />}
        </td>
        <td className="actions end">
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            Attempts
          </button>
          <BulkButtons
            buttons={mayRetry ? [{ label: 'Retry …', action: retryDelivery(id, destinationId, status) }] : []}
          />
        </td>
      </tr>
      {isOpen && (
        <tr className="inset">
          <td colSpan={6}>
            <AttemptLog id={id} delivery={delivery} />
          </td>
        </tr>
      )}
    </>
  );
}

function AttemptLog({ id, delivery: { destinationId, generation } }: { id: string; delivery: Delivery }) {
  const { data, error, refetch } = useQuery(deliveryQuery(id, destinationId, generation));
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.attemptLog.length === 0) return <p className="hint">No attempt was made yet.</p>;
  return (
    <ol className="attempts">
      {data.attemptLog.map(({ attemptNumber, at, reasonCode, statusCode, durationMs, responseExcerpt }) => (
        <li key={attemptNumber}>
          <p>
            <strong>Attempt {attemptNumber}</strong>: {reasonCode}
            {statusCode !== null && ` (HTTP ${statusCode})`} after {formatDuration(durationMs)}, <Instant at={at} />
          </p>
          {responseExcerpt !== null && responseExcerpt !== '' && (
            <pre className="code excerpt" tabIndex={0} aria-label={`Response to attempt ${attemptNumber}`}>
              {responseExcerpt}
            </pre>
          )}
        </li>
      ))}
    </ol>
  );
}
