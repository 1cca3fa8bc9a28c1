import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { newestDestinationsQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { nameOf } from '../../parts/texts/destination-name';
import { Ago } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';

/** Among the newest destinations: the list cannot be filtered by status. */
export function DestinationsInTrouble() {
  const { data, error, refetch } = useQuery(newestDestinationsQuery);
  if (!data) return <Pending error={error} refetch={refetch} />;
  const found = data.destinations.filter(({ status }) => status !== 'active');
  const among =
    data.nextCursor === null
      ? `of ${formatCount(data.destinations.length)}`
      : `among the newest ${formatCount(data.destinations.length)}`;
  if (found.length === 0) return <p className="hint">None {among}.</p>;
  return (
    <ul className="lines">
      {found.map((destination) => {
        const since = destination.disabledAt ?? destination.pausedAt;
        return (
          <li key={destination.id}>
            <StatusBadge status={destination.status} />{' '}
            <Link to="/destinations/$destinationId" params={{ destinationId: destination.id }} data-row>
              <Text>{nameOf(destination)}</Text>
            </Link>{' '}
            <span className="hint">
              {destination.tenantId}
              {destination.disabledReason !== null && `, ${destination.disabledReason}`}
              {since !== null && (
                <>
                  {', '}
                  <Ago at={since} />
                </>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
