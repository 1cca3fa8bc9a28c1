import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { deliveriesQuery } from '../../api/queries';
import { Ago } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';

/** The newest deliveries to a destination, and links to the lists behind them. */
export function RecentDeliveries({ destinationId }: { destinationId: string }) {
  const { data, error, refetch } = useQuery(deliveriesQuery({ destinationId }));
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.deliveries.length === 0) return <p className="hint">Nothing was delivered to this destination yet.</p>;
  return (
    <>
      <p>
        <Link to="/events" search={{ destinationId }}>
          All events
        </Link>
        {' · '}
        <Link to="/dead-letters" search={{ destinationId }}>
          Dead letters
        </Link>
      </p>
      <Table columns={['Status', 'Type', 'Subject', 'Last result', numeric('Attempts'), 'Next try, or delivered']}>
        {data.deliveries.map((delivery) => {
          const { eventId, generation, status, lastReasonCode, lastStatusCode, nextAttemptAt, deliveredAt } = delivery;
          const at = nextAttemptAt ?? deliveredAt;
          return (
            <tr key={`${eventId} ${generation}`}>
              <td>
                <StatusBadge status={status} />
              </td>
              <td>
                <Link to="/events/$eventId" params={{ eventId }} data-row>
                  <Text>{delivery.type}</Text>
                </Link>
              </td>
              <td>
                <Text>{delivery.subject}</Text>
              </td>
              <td>
                {lastReasonCode}
                {lastStatusCode !== null && ` (HTTP ${lastStatusCode})`}
              </td>
              <td className="number">{delivery.attempts}</td>
              <td className="nowrap">{at !== null && <Ago at={at} />}</td>
            </tr>
          );
        })}
      </Table>
    </>
  );
}
