import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { deliveriesQuery } from '../../api/queries';
import { Fault } from '../../parts/fault';
import { Ago } from '../../parts/instant';
import { StatusBadge } from '../../parts/status-badge';
import { Text } from '../../parts/text';

/** The newest deliveries to a destination, and links to the lists behind them. */
export function RecentDeliveries({ destinationId }: { destinationId: string }) {
  const { data, error, refetch } = useQuery(deliveriesQuery({ destinationId }));
  if (!data) return error ? <Fault error={error} onRetry={() => void refetch()} /> : <p className="wait">Loading …</p>;
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
      <div className="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Type</th>
              <th scope="col">Subject</th>
              <th scope="col">Last result</th>
              <th scope="col" className="number">
                Attempts
              </th>
              <th scope="col">Next or done</th>
            </tr>
          </thead>
          <tbody>
            {data.deliveries.map((delivery) => {
              const { eventId, generation, status, lastReasonCode, lastStatusCode, nextAttemptAt, deliveredAt } =
                delivery;
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
          </tbody>
        </table>
      </div>
    </>
  );
}
