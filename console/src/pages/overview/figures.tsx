import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { outboxQuery, readinessQuery } from '../../api/operations-queries';
import { reasonsQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { Fault } from '../../parts/fault';
import { Figure, Figures } from '../../parts/texts/figure';
import { StatusBadge } from '../../parts/texts/status-badge';
import { GROUPS_COUNTED } from './top-groups';

/** The backlog, the dead letters, and the servers that StreamForge depends on. */
export function OverviewFigures() {
  const outbox = useQuery(outboxQuery);
  const reasons = useQuery(reasonsQuery({}, GROUPS_COUNTED));
  const readiness = useQuery(readinessQuery);
  const states = outbox.data?.states;
  const oldest = outbox.data?.oldestPendingSeconds ?? null;
  const checks = Object.entries(readiness.data?.checks ?? {});
  return (
    <>
      {outbox.error && !outbox.data && <Fault error={outbox.error} onRetry={() => void outbox.refetch()} />}
      {reasons.error && !reasons.data && <Fault error={reasons.error} onRetry={() => void reasons.refetch()} />}
      <Figures>
        <Figure
          name="Waiting to be published"
          value={states && <Link to="/outbox">{formatCount(states.PENDING + states.IN_FLIGHT)}</Link>}
        >
          {oldest === null ? 'nothing waits' : `oldest ${formatDuration(oldest * 1_000)}`}
        </Figure>
        <Figure name="Could not be published" value={states && formatCount(states.FAILED)}>
          {states?.FAILED ? <Link to="/outbox">see the outbox</Link> : 'none'}
        </Figure>
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
        <Figure
          name="StreamForge"
          value={
            readiness.data && (
              <Link to="/health">
                <StatusBadge status={readiness.data.status} />
              </Link>
            )
          }
        >
          {checks.map(([name, { status }]) => `${name} ${status}`).join(', ')}
        </Figure>
      </Figures>
    </>
  );
}
