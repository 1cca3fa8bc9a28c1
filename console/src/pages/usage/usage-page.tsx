import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { countOf, formatBytes, formatCount } from '../../format/numbers';
import { formatDay, formatInstant } from '../../format/times';
import { Chart, TONES } from '../../parts/chart/chart';
import { FilterForm } from '../../parts/lists/filter-form';
import { Empty, Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { saveText } from './save-text';
import { usageQuery } from './usage-query';
import { byType, csvOf, eventsByDay, type UsageRow } from './usage-rows';

const route = getRouteApi('/usage');
const MOST_TYPES = 200;

/** Events, bytes and deliveries, by day and type. */
export function UsagePage(): ReactNode {
  const search = route.useSearch();
  const navigate = useNavigate();
  const usage = useQuery(usageQuery(search));
  const rows = usage.data?.rows ?? [];
  return (
    <Page
      title="Usage"
      actions={
        rows.length > 0 && (
          <button type="button" onClick={() => saveText('streamforge-usage.csv', 'text/csv', csvOf(rows))}>
            Download as CSV
          </button>
        )
      }
    >
      <FilterForm
        fields={[
          { name: 'tenantId', label: 'Tenant' },
          { name: 'from', label: 'First day (UTC)', placeholder: '30 days ago' },
          { name: 'to', label: 'Last day (UTC)', placeholder: 'today' },
        ]}
        search={search}
        onFilter={(sent) => void navigate({ to: '/usage', search: sent })}
      />
      {usage.data?.behindSince && (
        <p className="hint">
          Counted up to {formatInstant(usage.data.behindSince)}. Counting goes on while a publisher runs.
        </p>
      )}
      {usage.data ? <Shown rows={rows} isCut={usage.data.isCut} /> : <Pending {...usage} />}
    </Page>
  );
}

function Shown({ rows, isCut }: { rows: UsageRow[]; isCut: boolean }) {
  const { types, names, data, days } = useMemo(
    () => ({ types: byType(rows), ...eventsByDay(rows), days: new Set(rows.map(({ day }) => day)).size }),
    [rows],
  );
  if (rows.length === 0) {
    return (
      <Empty>
        <p>Nothing was accepted in these days.</p>
        <p>An event counts once, on the day on which it was accepted (UTC). Deliveries count apart.</p>
      </Empty>
    );
  }
  const lines = names.map((name, i) => ({ name, tone: TONES[i] ?? 'fourth' }));
  const sum = (of: 'events' | 'bytes' | 'deliveries'): number => types.reduce((total, type) => total + type[of], 0);
  return (
    <>
      <p role="status">
        {countOf(sum('events'), 'event')}, {formatBytes(sum('bytes'))}, {countOf(sum('deliveries'), 'delivery')},{' '}
        {countOf(types.length, 'type')}, {countOf(days, 'day')}.
        {isCut && ' There is more than the page reads; these are the newest days.'}
      </p>
      <Chart title="Events a day" lines={lines} data={data} format={formatCount} time={formatDay} isUtc />
      <Section title="By type">
        <Table
          label="By type"
          columns={['Type', ...['Events', 'Bytes', 'Bytes an event', 'Deliveries', 'Processed'].map(numeric)]}
        >
          {types.slice(0, MOST_TYPES).map(({ type, events, bytes, deliveries, processed }) => (
            <tr key={type}>
              <td>
                <Text>{type}</Text>
              </td>
              <td className="number">{formatCount(events)}</td>
              <td className="number">{formatBytes(bytes)}</td>
              <td className="number">{events === 0 ? '' : formatBytes(Math.round(bytes / events))}</td>
              <td className="number">{formatCount(deliveries)}</td>
              <td className="number">{formatCount(processed)}</td>
            </tr>
          ))}
        </Table>
        {types.length > MOST_TYPES && (
          <p className="hint">
            The largest {MOST_TYPES} of {formatCount(types.length)}; the CSV has all.
          </p>
        )}
      </Section>
    </>
  );
}
