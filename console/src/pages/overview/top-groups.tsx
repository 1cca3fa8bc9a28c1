import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reasonsQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { GroupTable } from '../dead-letters/group-table';
import { Pending } from '../../parts/pending';

/** Shared with the figures, so that both are one request. */
export const GROUPS_COUNTED = 20;
const SHOWN = 5;

export function TopGroups() {
  const { data, error, refetch } = useQuery(reasonsQuery({}, GROUPS_COUNTED));
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.reasons.length === 0) return <p className="hint">No event waits for a person.</p>;
  return (
    <>
      <GroupTable groups={data.reasons.slice(0, SHOWN)} search={{}} />
      {data.reasons.length > SHOWN && (
        <p>
          <Link to="/dead-letters">
            All groups ({formatCount(data.reasons.length)}
            {data.reasons.length === GROUPS_COUNTED && ' or more'})
          </Link>
        </p>
      )}
    </>
  );
}
