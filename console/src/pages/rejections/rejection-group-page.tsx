import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { BulkButtons } from '../../actions/bulk-buttons';
import { groupButtons } from '../../actions/group-buttons';
import { discardRejections, resubmitRejections, type RejectionSelection } from '../../actions/rejection-actions';
import type { Schema } from '../../api/endpoints';
import { rejectionReasonsQuery, rejectionsQuery, type RejectionFilter } from '../../api/queries';
import { countOf, formatBytes } from '../../format/numbers';
import { ChooseTable } from '../../parts/lists/choose-table';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { Ago } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page, Section } from '../../parts/page';
import { SourceLink } from '../../parts/texts/source-name';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';

const route = getRouteApi('/rejections/$group');

/** One group of rejections: why they were refused, the list, and actions on some or all of them. */
export function RejectionGroupPage(): ReactNode {
  const { group } = route.useParams();
  const search = route.useSearch();
  const { status = 'OPEN', ...others } = search;
  const filter = { ...others, status, group } as RejectionFilter;
  const selection = { ...others, group } as RejectionSelection;
  const reasons = useQuery({ ...rejectionReasonsQuery(filter, 1), refetchInterval: 5_000 });
  const list = useInfiniteQuery(rejectionsQuery(filter));
  const maySupport = useMay('support');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = list.data?.pages.flatMap((page) => page.rejections) ?? [];
  const facts = reasons.data?.reasons[0];
  const newest = rows.map(({ id }) => id);
  const buttons = groupButtons(
    {
      all: selection,
      some: (ids) => ({ ...selection, ids }),
      chosen: newest.filter((id) => chosen.has(id)),
      newest: status === 'OPEN' ? newest : [],
    },
    resubmitRejections,
    discardRejections,
  );
  return (
    <Page
      title={facts ? `${facts.code}: ${countOf(facts.count, 'rejection')}` : 'Rejections'}
      actions={maySupport && <BulkButtons buttons={status === 'OPEN' ? buttons : []} />}
    >
      <p>
        <Link to="/rejections" search={search}>
          All groups
        </Link>
      </p>
      {facts && (
        <>
          <p className="fault">
            <Text>{facts.message}</Text>
          </p>
          <Facts
            facts={{
              Place: facts.pointer !== null && <Text>{facts.pointer}</Text>,
              Source: facts.sourceId === null ? 'api' : <SourceLink id={facts.sourceId} />,
              First: <Ago at={facts.firstSeenAt} />,
              Last: <Ago at={facts.lastSeenAt} />,
            }}
          />
        </>
      )}
      <Section
        title="Rejections"
        actions={
          <CopyCurl
            method="POST"
            path="/v1/admin/rejections/resubmit"
            body={JSON.stringify({ ...selection, dryRun: true })}
          />
        }
      >
        <List
          list={list}
          count={rows.length}
          noun="rejection"
          empty={
            <Empty>
              <p>This group is empty: its rejections were resubmitted or discarded.</p>
              <p>
                <Link to="/rejections" search={search}>
                  Other rejections
                </Link>
              </p>
            </Empty>
          }
        >
          <RejectionTable rows={rows} chosen={chosen} onChoose={setChosen} />
        </List>
      </Section>
    </Page>
  );
}

interface TableProps {
  rows: Schema<'ListedRejection'>[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

function RejectionTable(props: TableProps) {
  return (
    <ChooseTable
      {...props}
      columns={['Received', 'Message', 'Type', 'Tenant', numeric('Record'), numeric('Size'), 'Status']}
      nameOf={({ receivedAt }) => `what came at ${receivedAt}`}
    >
      {({ id, receivedAt, message, eventType, tenantId, recordNumber, sizeBytes, status }) => (
        <>
          <td className="nowrap">
            <Link to="/rejections/one/$rejectionId" params={{ rejectionId: id }} data-row>
              <Ago at={receivedAt} />
            </Link>
          </td>
          <td className="error-cell">
            <Text>{message}</Text>
          </td>
          <td>{eventType !== null && <Text>{eventType}</Text>}</td>
          <td>{tenantId}</td>
          <td className="number">{recordNumber}</td>
          <td className="number nowrap">{formatBytes(sizeBytes)}</td>
          <td>
            <StatusBadge status={status} />
          </td>
        </>
      )}
    </ChooseTable>
  );
}
