import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { discardDeadLetters, retryDeadLetters, type EventSelection } from '../../actions/bulk-actions';
import { deadLettersQuery, reasonsQuery } from '../../api/queries';
import { countOf, formatCount } from '../../format/numbers';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { CopyButton } from '../../parts/copy-button';
import { curlOf } from '../../parts/curl';
import { DestinationName } from '../../parts/destination-name';
import { Facts } from '../../parts/facts';
import { Fault } from '../../parts/fault';
import { Ago } from '../../parts/instant';
import { MoreRows } from '../../parts/more-rows';
import { Empty, Page, Section } from '../../parts/page';
import { Text } from '../../parts/text';
import { useMay } from '../../session/caller';
import { DeadLetterTable } from './dead-letter-table';
import type { Group } from './group-table';

const route = getRouteApi('/dead-letters/$group');
/** So many are tried before all of them. */
const FIRST_FEW = 5;

/** One group of dead letters: what it is, its events, and actions on some or all of them. */
export function GroupPage(): ReactNode {
  const { group } = route.useParams();
  const search = route.useSearch();
  const selection: EventSelection = { ...(search as EventSelection), group };
  const reasons = useQuery({ ...reasonsQuery(selection, 1), refetchInterval: 5_000 });
  const list = useInfiniteQuery(deadLettersQuery(selection));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = list.data?.pages.flatMap((page) => page.deadLetters) ?? [];
  const facts = reasons.data?.reasons[0];
  const chosenIds = rows.filter(({ id }) => chosen.has(id)).map(({ id }) => id);

  return (
    <Page
      title={facts ? `${facts.reasonCode}: ${countOf(facts.count, 'dead letter')}` : 'Dead letters'}
      actions={<GroupActions selection={selection} chosen={chosenIds} newest={rows.map(({ id }) => id)} />}
    >
      <p>
        <Link to="/dead-letters" search={search}>
          All groups
        </Link>
      </p>
      {facts && (
        <>
          <p className="fault">
            <Text>{facts.errorMessage}</Text>
          </p>
          <GroupFacts group={facts} />
        </>
      )}
      {list.isPending && <p className="wait">Loading …</p>}
      {list.error && rows.length === 0 && <Fault error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && rows.length === 0 && !list.hasNextPage && (
        <Empty>
          <p>This group is empty: its events were sent on or discarded.</p>
          <p>
            <Link to="/dead-letters" search={search}>
              Other dead letters
            </Link>
          </p>
        </Empty>
      )}
      {(rows.length > 0 || list.hasNextPage) && (
        <Section
          title="Events"
          actions={
            <CopyButton
              label="Copy as curl"
              text={curlOf(
                location.origin,
                'POST',
                '/v1/admin/dlq/retry',
                JSON.stringify({ ...selection, dryRun: true }),
              )}
            />
          }
        >
          {rows.length > 0 && <DeadLetterTable rows={rows} chosen={chosen} onChoose={setChosen} />}
          <MoreRows {...list} error={list.error} shown={countOf(rows.length, 'dead letter')} />
        </Section>
      )}
    </Page>
  );
}

interface Selected {
  selection: EventSelection;
  chosen: string[];
  /** Ids of the rows shown, newest first. */
  newest: string[];
}

function GroupActions({ selection, chosen, newest }: Selected) {
  const maySupport = useMay('support');
  if (!maySupport) return null;
  const some = (eventIds: string[]): EventSelection => ({ ...selection, eventIds });
  const ofChosen: BulkButton[] =
    chosen.length === 0
      ? []
      : [
          { label: `Retry ${formatCount(chosen.length)} chosen …`, action: retryDeadLetters(some(chosen)) },
          { label: `Discard ${formatCount(chosen.length)} chosen …`, action: discardDeadLetters(some(chosen)) },
        ];
  // Without rows there are no buttons, but the dialog that has emptied the group stays.
  const ofAll: BulkButton[] =
    newest.length === 0
      ? []
      : [
          ...(newest.length > FIRST_FEW
            ? [
                {
                  label: `Retry ${FIRST_FEW} first …`,
                  action: retryDeadLetters(some(newest.slice(0, FIRST_FEW))),
                },
              ]
            : []),
          { label: 'Retry all …', isPrimary: true, action: retryDeadLetters(selection) },
          { label: 'Discard all …', action: discardDeadLetters(selection) },
        ];
  return <BulkButtons buttons={[...ofChosen, ...ofAll]} />;
}

function GroupFacts({ group }: { group: Group }) {
  const { destinationId } = group;
  return (
    <Facts
      facts={{
        Failed:
          destinationId === null ? (
            'handlers'
          ) : (
            <Link to="/destinations/$destinationId" params={{ destinationId }}>
              <DestinationName id={destinationId} />
            </Link>
          ),
        First: <Ago at={group.firstSeenAt} />,
        Last: <Ago at={group.lastSeenAt} />,
      }}
    />
  );
}
