import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { BulkButtons, type BulkButton } from '../../actions/bulk-buttons';
import { retryOutboxEntries } from '../../actions/outbox-actions';
import type { Schema } from '../../api/endpoints';
import { outboxQuery } from '../../api/operations-queries';
import { countOf, formatCapped, formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { ChooseTable } from '../../parts/lists/choose-table';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Figure, Figures } from '../../parts/texts/figure';
import { Ago } from '../../parts/texts/instant';
import { Empty, Page, Section } from '../../parts/page';
import { OfAllTenants } from '../../parts/of-all-tenants';
import { Pending } from '../../parts/pending';
import { numeric } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';

type Outbox = Schema<'OutboxResponse'>;

/** What waits to be published, and what could not be. */
export function OutboxPage(): ReactNode {
  return (
    <OfAllTenants title="Outbox">
      <AllOutbox />
    </OfAllTenants>
  );
}

function AllOutbox() {
  const { data, error, refetch } = useQuery(outboxQuery);
  return (
    <Page title="Outbox" actions={<CopyCurl method="GET" path="/v1/admin/outbox" />}>
      {data ? <Content outbox={data} /> : <Pending error={error} refetch={refetch} />}
    </Page>
  );
}

function Content({ outbox }: { outbox: Outbox }) {
  const { states, countedUpTo, oldestPendingSeconds, failed } = outbox;
  const mayOperate = useMay('operator');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const ids = failed.map(({ id }) => id).filter((id) => chosen.has(id));
  const count = (entries: number) => formatCapped(entries, countedUpTo);
  // Without rows there are no buttons, but the dialog that has emptied the list stays.
  const buttons: BulkButton[] = [
    ...(ids.length === 0
      ? []
      : [{ label: `Retry ${formatCount(ids.length)} chosen …`, action: retryOutboxEntries(ids) }]),
    ...(failed.length === 0 ? [] : [{ label: 'Retry all …', isPrimary: true, action: retryOutboxEntries() }]),
  ];
  return (
    <>
      <Figures>
        <Figure name="Waiting to be published" value={count(states.PENDING)}>
          {oldestPendingSeconds === null ? 'nothing waits' : `oldest ${formatDuration(oldestPendingSeconds * 1_000)}`}
        </Figure>
        <Figure name="On their way to the broker" value={count(states.IN_FLIGHT)}>
          until the broker confirms them
        </Figure>
        <Figure name="Could not be published" value={count(states.FAILED)}>
          {states.FAILED === 0 ? 'none' : 'wait for a person'}
        </Figure>
      </Figures>
      <Section title="Entries that could not be published" actions={mayOperate && <BulkButtons buttons={buttons} />}>
        {failed.length === 0 ? (
          <Empty>
            <p>Every entry was published, or still waits.</p>
            <p>
              When entries wait for long, look at <Link to="/health">Health</Link>: the broker may be down, or no
              publisher runs.
            </p>
          </Empty>
        ) : (
          <>
            <FailedTable rows={failed} chosen={chosen} onChoose={setChosen} />
            <p className="hint" role="status">
              {failed.length < states.FAILED
                ? `The newest ${formatCount(failed.length)} of ${count(states.FAILED)}`
                : countOf(failed.length, 'entry')}
            </p>
          </>
        )}
      </Section>
    </>
  );
}

interface Props {
  rows: Outbox['failed'];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

function FailedTable(props: Props) {
  return (
    <ChooseTable
      {...props}
      columns={['Event', 'Queue', 'Last error', numeric('Attempts'), 'Made', 'Given up']}
      nameOf={({ id }) => `entry ${id}`}
    >
      {({ eventId, destination, lastError, attempts, createdAt, closedAt }) => (
        <>
          <td>
            <Link to="/events/$eventId" params={{ eventId }} data-row>
              <code>{eventId}</code>
            </Link>
          </td>
          <td>{destination}</td>
          <td className="error-cell">{lastError !== null && <Text>{lastError}</Text>}</td>
          <td className="number">{formatCount(attempts)}</td>
          <td className="nowrap">
            <Ago at={createdAt} />
          </td>
          <td className="nowrap">
            <Ago at={closedAt} />
          </td>
        </>
      )}
    </ChooseTable>
  );
}
