import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { formatCapped, formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { Figure } from '../../parts/texts/figure';

interface Props {
  outbox: Schema<'OutboxResponse'> | undefined;
  backlog: Schema<'BacklogResponse'> | undefined;
}

/** How much waits in each stage, and for how long. Nothing is said before it is known. */
export function Backlog({ outbox, backlog }: Props) {
  return (
    <>
      {outbox ? <Outbox outbox={outbox} /> : <Figure name="Waiting to be published" value={undefined} />}
      {STAGES.map((of) => (
        <Stage key={of.stage} of={of} backlog={backlog} />
      ))}
    </>
  );
}

/** What waits in the outbox, and what could not leave it. */
function Outbox({ outbox }: { outbox: Schema<'OutboxResponse'> }) {
  const { states, countedUpTo, oldestPendingSeconds: oldest } = outbox;
  const isCapped = Math.max(states.PENDING, states.IN_FLIGHT) >= countedUpTo;
  return (
    <Figure
      name="Waiting to be published"
      value={
        <Link to="/outbox">
          {formatCount(states.PENDING + states.IN_FLIGHT)}
          {isCapped && '+'}
        </Link>
      }
    >
      {oldest === null ? 'nothing waits' : `oldest ${formatDuration(oldest * 1_000)}`}
      {states.FAILED > 0 && (
        <>
          {' · '}
          <Link to="/outbox">{formatCapped(states.FAILED, countedUpTo)} could not be published</Link>
        </>
      )}
    </Figure>
  );
}

interface StageOfEvents {
  stage: Schema<'BacklogStage'>;
  name: string;
  /** Of the events that are in it. */
  status: string;
}

/** The stages after the outbox. */
const STAGES: readonly StageOfEvents[] = [
  { stage: 'retry', name: 'Waiting for a retry', status: 'RETRYING' },
  { stage: 'deliver', name: 'Waiting to be delivered', status: 'DELIVERING' },
];

function Stage({ of, backlog }: { of: StageOfEvents; backlog: Props['backlog'] }) {
  const { stage, name, status } = of;
  const found = backlog?.stages.find((one) => one.stage === stage);
  if (!backlog || !found) return <Figure name={name} value={undefined} />;
  const { waiting, oldestDueSeconds } = found;
  return (
    <Figure
      name={name}
      value={
        <Link to="/events" search={{ status }}>
          {formatCapped(waiting, backlog.countedUpTo)}
        </Link>
      }
    >
      {waiting === 0 ? 'nothing waits' : dueText(oldestDueSeconds)}
    </Figure>
  );
}

const dueText = (seconds: number | null): string =>
  seconds === null ? 'none is due yet' : `oldest due for ${formatDuration(seconds * 1_000)}`;
