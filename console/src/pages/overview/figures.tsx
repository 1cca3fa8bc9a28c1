import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { outboxQuery, readinessQuery, reasonsQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { Fault } from '../../parts/fault';
import { StatusBadge } from '../../parts/texts/status-badge';
import { GROUPS_COUNTED } from './top-groups';

/** The backlog, the dead letters, and the servers that StreamForge depends on. */
export function Figures() {
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
      <ul className="figures">
        <Figure name="Waiting to be published" value={states && formatCount(states.PENDING + states.IN_FLIGHT)}>
          {oldest === null ? 'nothing waits' : `oldest ${formatDuration(oldest * 1_000)}`}
        </Figure>
        <Figure name="Could not be published" value={states && formatCount(states.FAILED)}>
          {states?.FAILED ? 'see GET /v1/admin/outbox' : 'none'}
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
        <Figure name="StreamForge" value={readiness.data && <StatusBadge status={readiness.data.status} />}>
          {checks.map(([name, { status }]) => `${name} ${status}`).join(', ')}
        </Figure>
      </ul>
    </>
  );
}

function Figure({ name, value, children }: { name: string; value: ReactNode; children?: ReactNode }) {
  return (
    <li className="figure">
      <span className="figure-name">{name}</span>
      <span className="figure-value">{value ?? '…'}</span>
      <span className="hint">{children}</span>
    </li>
  );
}
