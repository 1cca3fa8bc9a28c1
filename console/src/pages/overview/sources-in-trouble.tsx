import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { newestSourcesQuery } from '../../api/queries';
import { countOf, formatCount } from '../../format/numbers';
import { refusedBySourceQuery } from '../../metrics/metric-queries';
import { Pending } from '../../parts/pending';
import { SourceLink } from '../../parts/texts/source-name';
import { Text } from '../../parts/texts/text';
import { SourceStatus } from '../sources/source-status';

/** Sources that accept nothing now, and those whose records were refused in the last hour. */
export function SourcesInTrouble() {
  const { data, error, refetch } = useQuery(newestSourcesQuery);
  const refused = useQuery(refusedBySourceQuery);
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (!refused.data) return <Pending {...refused} />;
  const closed = data.sources.filter(({ status, needsSecret }) => status !== 'active' || needsSecret);
  const among =
    data.nextCursor === null
      ? `of ${formatCount(data.sources.length)}`
      : `among the newest ${formatCount(data.sources.length)}`;
  if (closed.length === 0 && refused.data.size === 0) return <p className="hint">None {among}.</p>;
  const known = new Map(data.sources.map((source) => [source.id, source]));
  const ids = new Set([...closed.map(({ id }) => id), ...refused.data.keys()]);
  return (
    <ul className="lines">
      {[...ids].map((id) => (
        <SourceLine key={id} id={id} source={known.get(id)} refused={refused.data.get(id) ?? 0} />
      ))}
    </ul>
  );
}

interface Props {
  id: string;
  /** Undefined: it is not among the newest, or was deleted. */
  source: Schema<'SourceResponse'> | undefined;
  /** Records in the last hour. */
  refused: number;
}

function SourceLine({ id, source, refused }: Props) {
  return (
    <li>
      {source ? (
        <>
          <SourceStatus source={source} />{' '}
          <Link to="/sources/$sourceId" params={{ sourceId: id }} data-row>
            <Text>{source.name}</Text>
          </Link>
        </>
      ) : (
        <SourceLink id={id} />
      )}{' '}
      <span className="hint">
        {source?.tenantId}
        {refused > 0 && (
          <>
            {source && ', '}
            <Link to="/rejections" search={{ sourceId: id }}>
              {countOf(refused, 'record')} refused in the last hour
            </Link>
          </>
        )}
      </span>
    </li>
  );
}
