import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { replaysQuery } from '../../api/operations-queries';
import { formatCount } from '../../format/numbers';
import { filterText } from '../../json/filter-text';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { statusOf } from './replay-words';

/** Replays and backfills, newest first. */
export function ReplaysPage(): ReactNode {
  const list = useInfiniteQuery(replaysQuery);
  const rows = list.data?.pages.flatMap((page) => page.replays) ?? [];
  return (
    <Page
      title="Replays"
      actions={
        <button type="button" onClick={() => void list.refetch()} disabled={list.isFetching}>
          {list.isFetching ? 'Loading …' : 'Refresh'}
        </button>
      }
    >
      <List list={list} count={rows.length} noun="replay" empty={<NoReplays />}>
        <ReplayTable rows={rows} />
      </List>
    </Page>
  );
}

function NoReplays() {
  return (
    <Empty>
      <p>No stored event was sent through again yet.</p>
      <p>
        To start a replay, filter the <Link to="/events">events</Link> by their tenant, and press “Replay all …”. One
        event can be replayed on its own page.
      </p>
    </Empty>
  );
}

function ReplayTable({ rows }: { rows: Schema<'ReplaySummary'>[] }) {
  return (
    <Table columns={['Status', 'Started', 'What', numeric('Events'), 'Filter', 'By', 'Finished']}>
      {rows.map((replay) => (
        <tr key={replay.replayId}>
          <td>
            <StatusBadge status={statusOf(replay)} />
          </td>
          <td className="nowrap">
            <Link to="/replays/$replayId" params={{ replayId: replay.replayId }} data-row>
              <Ago at={replay.createdAt} />
            </Link>
          </td>
          <td>{replay.mode}</td>
          <td className="number">{formatCount(replay.matched)}</td>
          <td className="error-cell">
            <Text>{filterText(replay.filter)}</Text>
          </td>
          <td>
            <Text>{replay.requestedBy}</Text>
          </td>
          <td className="nowrap">{replay.finishedAt !== null && <Ago at={replay.finishedAt} />}</td>
        </tr>
      ))}
    </Table>
  );
}
