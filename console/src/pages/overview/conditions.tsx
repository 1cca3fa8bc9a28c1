import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { parseAddress } from '../../address';
import type { Schema } from '../../api/endpoints';
import { conditionsQuery } from '../../api/operations-queries';
import { formatCount } from '../../format/numbers';
import { Pending } from '../../parts/pending';
import { Ago } from '../../parts/texts/instant';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';

/** What operator events have raised and not cleared. Each leads to what it is about. */
export function Conditions() {
  const { data, error, refetch } = useQuery(conditionsQuery);
  if (!data) return <Pending error={error} refetch={refetch} />;
  const { conditions, nextCursor } = data;
  if (conditions.length === 0) return <p className="hint">No operator event is raised.</p>;
  return (
    <>
      <ul className="lines">
        {conditions.map((condition) => (
          <ConditionLine key={condition.incident} condition={condition} />
        ))}
      </ul>
      {nextCursor !== null && <p className="hint">These are the newest {formatCount(conditions.length)}.</p>}
    </>
  );
}

function ConditionLine({ condition }: { condition: Schema<'ConditionResponse'> }) {
  const { kind, severity, summary, since, clearingSince, flapping, page } = condition;
  const { pathname, search } = new URL(page, window.location.origin);
  return (
    <li>
      <StatusBadge status={severity} />{' '}
      <Link to={pathname} search={parseAddress(search)} data-row>
        <Text>{summary}</Text>
      </Link>{' '}
      <span className="hint">
        {kind}, {flapping && 'comes and goes, '}began <Ago at={since} />
        {clearingSince !== null && (
          <>
            , over <Ago at={clearingSince} />
          </>
        )}
      </span>
    </li>
  );
}
