import { useQuery } from '@tanstack/react-query';
import { destinationHistoryQuery } from '../../api/queries';
import { formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { attemptLines, durationLines } from '../../metrics/minutes';
import { Chart, type ChartLine } from '../../parts/chart/chart';
import { Pending } from '../../parts/pending';

const DURATIONS: readonly ChartLine[] = [
  { name: 'half within', tone: 'first' },
  { name: '95% within', tone: 'second' },
];
const ATTEMPTS: readonly ChartLine[] = [
  { name: 'succeeded', tone: 'second' },
  { name: 'failed', tone: 'third' },
];

/** How long the attempts of the last hour took, and how many there were. */
export function DestinationCharts({ destinationId }: { destinationId: string }) {
  const { data, dataUpdatedAt, error, refetch } = useQuery(destinationHistoryQuery(destinationId));
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.minutes.length === 0) return <p className="hint">No attempt ended in the last hour.</p>;
  return (
    <div className="charts">
      {data.minutes.some(({ p50Ms }) => p50Ms !== null) && (
        <Chart
          title="Time of successful attempts, last hour"
          lines={DURATIONS}
          data={durationLines(data.minutes, dataUpdatedAt)}
          format={formatDuration}
        />
      )}
      <Chart
        title="Attempts a minute, last hour"
        lines={ATTEMPTS}
        data={attemptLines(data.minutes, dataUpdatedAt)}
        format={formatCount}
      />
    </div>
  );
}
