import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { discardDeadLetters, retryDeadLetters, type EventSelection } from '../../actions/bulk-actions';
import { BulkButtons } from '../../actions/bulk-buttons';
import { groupButtons } from '../../actions/group-buttons';
import type { Schema } from '../../api/endpoints';
import { deadLettersQuery, reasonsQuery } from '../../api/queries';
import { countOf } from '../../format/numbers';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { DestinationName } from '../../parts/texts/destination-name';
import { Facts } from '../../parts/texts/facts';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page, Section } from '../../parts/page';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import type { EventSearch } from '../events/event-search';
import { DeadLetterTable } from './dead-letter-table';
import type { Group } from './group-table';

const route = getRouteApi('/dead-letters/$group');

/** One group of dead letters: what it is, its events, and actions on some or all of them. */
export function GroupPage(): ReactNode {
  const { group } = route.useParams();
  const search = route.useSearch();
  const selection: EventSelection = { ...(search as EventSelection), group };
  const reasons = useQuery({ ...reasonsQuery(selection, 1), refetchInterval: 5_000 });
  const list = useInfiniteQuery(deadLettersQuery(selection));
  const maySupport = useMay('support');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = list.data?.pages.flatMap((page) => page.deadLetters) ?? [];
  const facts = reasons.data?.reasons[0];
  const newest = rows.map(({ id }) => id);
  const buttons = groupButtons(
    {
      all: selection,
      some: (eventIds) => ({ ...selection, eventIds }),
      chosen: newest.filter((id) => chosen.has(id)),
      newest,
    },
    (some) => ({ ...retryDeadLetters(some), follow: followOf(rows, facts) }),
    discardDeadLetters,
  );
  return (
    <Page
      title={facts ? `${facts.reasonCode}: ${countOf(facts.count, 'dead letter')}` : 'Dead letters'}
      actions={maySupport && <BulkButtons buttons={buttons} />}
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
      <Section
        title="Events"
        actions={
          <CopyCurl method="POST" path="/v1/admin/dlq/retry" body={JSON.stringify({ ...selection, dryRun: true })} />
        }
      >
        <List
          list={list}
          count={rows.length}
          noun="dead letter"
          empty={
            <Empty>
              <p>This group is empty: its events were sent on or discarded.</p>
              <p>
                <Link to="/dead-letters" search={search}>
                  Other dead letters
                </Link>
              </p>
            </Empty>
          }
        >
          <DeadLetterTable rows={rows} chosen={chosen} onChoose={setChosen} />
        </List>
      </Section>
    </Page>
  );
}

type Row = Schema<'DeadLettersPage'>['deadLetters'][number];

/** What the events of the group have in common once they are no dead letters any more. */
function followOf(rows: readonly Row[], group: Group | undefined): EventSearch | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const { tenantId, type } = first;
  const destinationId = group?.destinationId ?? undefined;
  return {
    ...(rows.every((row) => row.tenantId === tenantId) ? { tenantId } : {}),
    ...(rows.every((row) => row.type === type) ? { type } : {}),
    ...(destinationId === undefined ? {} : { destinationId }),
  };
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
