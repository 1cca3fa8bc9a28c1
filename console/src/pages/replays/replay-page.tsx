import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { replayQuery } from '../../api/operations-queries';
import { countOf, formatCount } from '../../format/numbers';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { DestinationName } from '../../parts/texts/destination-name';
import { chosenEventLinks } from '../../parts/texts/event-links';
import { Facts } from '../../parts/texts/facts';
import { Figure, Figures } from '../../parts/texts/figure';
import { FilterFacts } from '../../parts/texts/filter-facts';
import { Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { readEventSearch } from '../events/event-search';
import { CancelReplay } from './cancel-replay';
import { doneOf, MEANINGS, MORE, standingOf, statusOf } from './replay-words';

const route = getRouteApi('/replays/$replayId');

type Replay = Schema<'ReplayProgressResponse'>;

/** One replay or backfill: how far it is, what it sends, and what became of that. */
export function ReplayPage(): ReactNode {
  const { replayId } = route.useParams();
  const { data: replay, error, refetch } = useQuery(replayQuery(replayId));
  if (!replay) {
    return (
      <Page title="Replay">
        <Pending error={error} refetch={refetch} />
      </Page>
    );
  }
  return (
    <Page title={`${titleOf(replay)}: ${countOf(replay.matched, 'event')}`} actions={<CancelReplay replay={replay} />}>
      <p>
        <Link to="/replays">All replays</Link>
      </p>
      <p className="lead">
        <StatusBadge status={statusOf(replay)} /> <span role="status">{standingOf(replay)}</span>
      </p>
      <progress
        className="progress"
        aria-label="Events that are done"
        max={Math.max(replay.matched, 1)}
        value={doneOf(replay.progress)}
      />
      <Outcomes replay={replay} />
      <Section title="Filter" actions={<CopyCurl method="GET" path={`/v1/admin/replays/${replay.replayId}`} />}>
        <p>
          {MEANINGS[replay.mode]} {replay.more && MORE[replay.mode === 'backfill' ? 'backfill' : 'replay']}
        </p>
        <FilterFacts filter={replay.filter} />
        <Behind replay={replay} />
      </Section>
      <Section title="Record">
        <Facts
          facts={{
            Started: <Instant at={replay.createdAt} />,
            Finished: replay.finishedAt !== null && <Instant at={replay.finishedAt} />,
            By: <Text>{replay.requestedBy}</Text>,
            'Correlation id': <Text>{replay.correlationId}</Text>,
            Id: <code>{replay.replayId}</code>,
          }}
        />
      </Section>
    </Page>
  );
}

const titleOf = ({ mode }: Replay): string => `${mode.charAt(0).toUpperCase()}${mode.slice(1)}`;

/** Each event of the replay is in one of these. */
function Outcomes({ replay: { progress, skippedByReason, filter, mode } }: { replay: Replay }) {
  const { tenantId, destinationId } = readEventSearch(filter);
  const dead = {
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(destinationId === undefined ? {} : { destinationId }),
  };
  const skipped = Object.entries(skippedByReason).map(([reason, count]) => `${formatCount(count)} ${reason}`);
  return (
    <Figures>
      <Figure name="Not dispatched yet" value={formatCount(progress.pending)} />
      <Figure name="In process" value={formatCount(progress.dispatched)} />
      <Figure name={mode === 'backfill' ? 'Delivered' : 'Completed'} value={formatCount(progress.completed)} />
      <Figure
        name={mode === 'backfill' ? 'Could not be delivered' : 'Dead letters'}
        value={
          progress.deadLettered === 0 ? (
            '0'
          ) : (
            <Link to="/dead-letters" search={dead}>
              {formatCount(progress.deadLettered)}
            </Link>
          )
        }
      />
      <Figure name="Skipped" value={formatCount(progress.skipped)}>
        {skipped.join(', ')}
      </Figure>
      <Figure name="Cancelled" value={formatCount(progress.cancelled)} />
    </Figures>
  );
}

/** The events that were chosen, or the list that the filter selects now; it may have changed since. */
function Behind({ replay: { filter } }: { replay: Replay }) {
  const search = readEventSearch(filter);
  const { destinationId } = search;
  const chosen = chosenEventLinks(filter);
  const found = Object.keys(search).length > 0 && (
    <Link to="/events" search={search}>
      Events that this filter finds now
    </Link>
  );
  const links = [
    ...(chosen.length > 0 ? chosen : [found]),
    destinationId !== undefined && (
      <>
        to{' '}
        <Link to="/destinations/$destinationId" params={{ destinationId }}>
          <DestinationName id={destinationId} />
        </Link>
      </>
    ),
  ].filter((link) => link !== false);
  if (links.length === 0) return null;
  return (
    <ul className="lines">
      {links.map((link, i) => (
        <li key={i}>{link}</li>
      ))}
    </ul>
  );
}
