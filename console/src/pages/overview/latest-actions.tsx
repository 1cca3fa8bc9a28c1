import { useQuery } from '@tanstack/react-query';
import { latestActionsQuery } from '../../api/operations-queries';
import { Ago } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { Text } from '../../parts/texts/text';

export function LatestActions() {
  const { data, error, refetch } = useQuery(latestActionsQuery);
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.entries.length === 0) return <p className="hint">Nothing was changed yet.</p>;
  return (
    <ul className="lines">
      {data.entries.map(({ id, at, actor, action, counts, note }) => (
        <li key={id}>
          <Ago at={at} /> <Text>{actor}</Text>: <code>{action}</code>{' '}
          <span className="hint">
            {Object.entries(counts)
              .map(([name, count]) => `${name} ${String(count)}`)
              .join(', ')}
          </span>
          {note !== null && (
            <span className="quote">
              <Text>{note}</Text>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
