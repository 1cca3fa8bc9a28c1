import { useQuery } from '@tanstack/react-query';
import { timelineQuery } from '../../api/queries';
import { formatDuration } from '../../format/times';
import { Instant } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { Text } from '../../parts/texts/text';

/** What happened to the event, oldest first, with the waits in between. */
export function EventTimeline({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(timelineQuery(id));
  if (!data) return <Pending error={error} refetch={refetch} />;
  const { entries, truncated } = data;
  return (
    <>
      {truncated && <p className="hint">Only the newest 1,000 entries are shown.</p>}
      <ol className="timeline">
        {entries.map(({ at, kind, actor, text, note }, i) => (
          <li key={i} className={`kind-${kind}`}>
            <Instant at={at} />
            <span className="wait-before">{waitBefore(entries[i - 1]?.at, at)}</span>
            <span className="what">
              <Text>{text}</Text>
              {actor !== null && actor !== 'streamforge' && (
                <span className="hint">
                  {' by '}
                  <Text>{actor}</Text>
                </span>
              )}
              {note !== null && (
                <span className="quote">
                  <Text>{note}</Text>
                </span>
              )}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** Clocks of processes differ, so an entry may seem to come before the one above it. */
function waitBefore(earlier: string | undefined, at: string): string {
  const ms = earlier === undefined ? 0 : Date.parse(at) - Date.parse(earlier);
  return ms > 0 ? `+${formatDuration(ms)}` : '';
}
