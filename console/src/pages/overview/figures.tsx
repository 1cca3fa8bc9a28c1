import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { backlogQuery, outboxQuery, readinessQuery } from '../../api/operations-queries';
import { reasonsQuery } from '../../api/queries';
import { formatCapped, formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { Fault } from '../../parts/fault';
import { Figure, Figures } from '../../parts/texts/figure';
import { StatusBadge } from '../../parts/texts/status-badge';
import { useCaller } from '../../session/caller';
import { GROUPS_COUNTED } from './top-groups';

/** The backlog, the dead letters, and the servers that StreamForge depends on. */
export function OverviewFigures() {
  const { seesAll } = useCaller();
  const outbox = useQuery({ ...outboxQuery, enabled: seesAll });
  const reasons = useQuery(reasonsQuery({}, GROUPS_COUNTED));
  return (
    <>
      {outbox.error && !outbox.data && <Fault error={outbox.error} onRetry={() => void outbox.refetch()} />}
      {reasons.error && !reasons.data && <Fault error={reasons.error} onRetry={() => void reasons.refetch()} />}
      <Figures>
        {seesAll && <Backlog outbox={outbox.data} />}
        {seesAll && <Stages />}
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

/** What waits in the outbox, and what could not leave it. Nothing is said before it is known. */
function Backlog({ outbox }: { outbox: Schema<'OutboxResponse'> | undefined }) {
  if (!outbox) {
    return (
      <>
        <Figure name="Waiting to be published" value={undefined} />
        <Figure name="Could not be published" value={undefined} />
      </>
    );
  }
  const { states, countedUpTo, oldestPendingSeconds: oldest } = outbox;
  const waiting = formatCount(states.PENDING + states.IN_FLIGHT);
  const isCapped = Math.max(states.PENDING, states.IN_FLIGHT) >= countedUpTo;
  return (
    <>
      <Figure
        name="Waiting to be published"
        value={
          <Link to="/outbox">
            {waiting}
            {isCapped && '+'}
          </Link>
        }
      >
        {oldest === null ? 'nothing waits' : `oldest ${formatDuration(oldest * 1_000)}`}
      </Figure>
      <Figure name="Could not be published" value={formatCapped(states.FAILED, countedUpTo)}>
        {states.FAILED > 0 ? <Link to="/outbox">see the outbox</Link> : 'none'}
      </Figure>
    </>
  );
}

/** What waits after the outbox. */
const STAGES = [
  { stage: 'retry', name: 'Waiting for a retry', status: 'RETRYING' },
  { stage: 'deliver', name: 'Waiting to be delivered', status: 'DELIVERING' },
] as const;

function Stages() {
  const { data } = useQuery(backlogQuery);
  return STAGES.map(({ stage, name, status }) => {
    const found = data?.stages.find((one) => one.stage === stage);
    if (!data || !found) return <Figure key={stage} name={name} value={undefined} />;
    const { waiting, oldestDueSeconds } = found;
    return (
      <Figure
        key={stage}
        name={name}
        value={
          <Link to="/events" search={{ status }}>
            {formatCapped(waiting, data.countedUpTo)}
          </Link>
        }
      >
        {waiting === 0 ? 'nothing waits' : dueText(oldestDueSeconds)}
      </Figure>
    );
  });
}

const dueText = (seconds: number | null): string =>
  seconds === null ? 'none is due yet' : `oldest due for ${formatDuration(seconds * 1_000)}`;

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
