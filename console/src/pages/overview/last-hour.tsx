import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatRate } from '../../format/numbers';
import { formatClock, formatDuration } from '../../format/times';
import { lastHourQuery, type HourOfMeasure } from '../../metrics/metric-queries';
import { linesOf, rateOf, ratesOf, type Sample } from '../../metrics/samples';
import { Chart, type ChartLine } from '../../parts/chart/chart';
import { Fault } from '../../parts/fault';
import { Figure, Figures } from '../../parts/texts/figure';

const NOW_SECONDS = 60;

const RATES: readonly ChartLine[] = [
  { name: 'accepted', tone: 'first' },
  { name: 'completed', tone: 'second' },
  { name: 'deliveries failed', tone: 'third' },
  { name: 'rejected', tone: 'fourth' },
];
const LATENCIES: readonly ChartLine[] = [
  { name: 'half within', tone: 'first' },
  { name: '95% within', tone: 'second' },
];

/** What came in and what became of it in the last hour, up to the last second. */
export function LastHour() {
  const queries = useQueries({
    queries: [
      lastHourQuery({ measure: 'accepted' }),
      lastHourQuery({ measure: 'completed' }),
      lastHourQuery({ measure: 'failed' }),
      lastHourQuery({ measure: 'rejected' }),
      lastHourQuery({ measure: 'latency', quantile: '0.5' }),
      lastHourQuery({ measure: 'latency', quantile: '0.95' }),
    ],
  });
  const broken = queries.find(({ error, data }) => error && !data);
  if (broken) return <Fault error={broken.error} onRetry={() => void queries.map(({ refetch }) => refetch())} />;
  const [accepted, completed, failed, rejected, half, most] = queries.map(({ data }) => data);
  if (!accepted || !completed || !failed || !rejected || !half || !most) return <p className="wait">Loading …</p>;
  return (
    <>
      <Figures>
        <Rate name="Accepted" of={accepted}>
          <Link to="/events">newest events</Link>
        </Rate>
        <Rate name="Completed" of={completed}>
          <Link to="/events" search={{ status: 'COMPLETED' }}>
            completed events
          </Link>
        </Rate>
        <Rate name="Deliveries failed" of={failed}>
          <Link to="/dead-letters">by cause</Link>
        </Rate>
        <Rate name="Rejected" of={rejected}>
          <Link to="/rejections">by cause</Link>
        </Rate>
        <Figure name="Accepted to completed" value={latencyOf(most.samples)}>
          {half.samples.length === 0
            ? 'nothing was completed in the last hour'
            : `95% within; half within ${latencyOf(half.samples)}`}
        </Figure>
      </Figures>
      <div className="charts">
        <Chart
          title="Per second, last hour"
          lines={RATES}
          data={linesOf([accepted, completed, failed, rejected].map(({ samples }) => ratesOf(samples)))}
          format={formatRate}
        />
        <Chart
          title="From accepted to completed, last hour"
          lines={LATENCIES}
          data={linesOf([half.samples, most.samples], accepted.samples)}
          format={formatDuration}
        />
      </div>
    </>
  );
}

function Rate({ name, of, children }: { name: string; of: HourOfMeasure; children: ReactNode }) {
  const { samples, throughMs, isBehind } = of;
  return (
    <Figure name={name} value={isBehind ? '–' : `${formatRate(rateOf(samples, NOW_SECONDS))}/s`}>
      {isBehind ? `Counted up to ${formatClock(throughMs)}` : 'in the last minute'} · {children}
    </Figure>
  );
}

/** Of the newest step in which events were completed. */
function latencyOf(samples: readonly Sample[]): string {
  const newest = samples.at(-1);
  return newest === undefined ? '–' : formatDuration(newest.value);
}
