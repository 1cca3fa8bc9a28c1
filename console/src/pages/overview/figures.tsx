import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { backlogQuery, outboxQuery, readinessQuery } from '../../api/operations-queries';
import { reasonsQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { Fault } from '../../parts/fault';
import { Figure, Figures } from '../../parts/texts/figure';
import { StatusBadge } from '../../parts/texts/status-badge';
import { useCaller } from '../../session/caller';
import { Backlog } from './backlog';
import { GROUPS_COUNTED } from './top-groups';

/** The backlog, the dead letters, and the servers that StreamForge depends on. */
export function OverviewFigures() {
  const { seesAll } = useCaller();
  const outbox = useQuery({ ...outboxQuery, enabled: seesAll });
  const backlog = useQuery({ ...backlogQuery, enabled: seesAll });
  const reasons = useQuery(reasonsQuery({}, GROUPS_COUNTED));
  return (
    <>
      {[outbox, backlog, reasons].map(
        ({ error, data, refetch }, i) =>
          error && !data && <Fault key={i} error={error} onRetry={() => void refetch()} />,
      )}
      <Figures>
        {seesAll && <Backlog outbox={outbox.data} backlog={backlog.data} />}
        <Figure
          name="Dead letters"
          value={
            reasons.data && (
              <Link to="/dead-letters">
                {formatCount(reasons.data.total)}
                {reasons.data.capped && '+'}
              </Link>
            )
          }
        >
          {reasons.data && (reasons.data.total === 0 ? 'none' : 'wait for a person')}
        </Figure>
        <Readiness />
      </Figures>
    </>
  );
}

function Readiness() {
  const { data, error } = useQuery(readinessQuery);
  const { seesAll } = useCaller();
  const badge = error ? <StatusBadge status="unknown" /> : data && <StatusBadge status={data.status} />;
  const checks = Object.entries(data?.checks ?? {}).map(([name, { status }]) => `${name} ${status}`);
  return (
    <Figure name="StreamForge" value={badge && seesAll ? <Link to="/health">{badge}</Link> : badge}>
      {error ? error.message : checks.join(', ')}
    </Figure>
  );
}
