import { lazy, Suspense } from 'react';
import type { Lines } from '../../metrics/samples';
import { formatClock } from '../../format/times';
import { Table, numeric } from '../lists/table';

export const TONES = ['first', 'second', 'third', 'fourth'] as const;
export type Tone = (typeof TONES)[number];

export interface ChartLine {
  name: string;
  tone: Tone;
}

export interface ChartProps {
  title: string;
  lines: readonly ChartLine[];
  data: Lines;
  /** Writes a value, as on the axis and in the table. */
  format: (value: number) => string;
  /** Writes the start of a step. Default: the local time of day. */
  time?: (ms: number) => string;
  /** The steps are days in UTC. */
  isUtc?: boolean;
}

/** The chart library is as large as the rest of the page, so it comes after it. */
const Plot = lazy(() => import('./plot').then(({ Plot: component }) => ({ default: component })));
/** Rows of the table. */
const NEWEST = 20;

/** Lines over time, with a legend, and the newest values as a table for those who cannot see them. */
export function Chart(props: ChartProps) {
  const { title, lines, data, format, time = formatClock } = props;
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">{title}</span>
        <ul className="legend">
          {lines.map(({ name, tone }) => (
            <li key={name}>
              <span className={`swatch ${tone}`} aria-hidden="true" /> {name}
            </li>
          ))}
        </ul>
      </figcaption>
      <div className="plot" role="img" aria-label={`${title}. The values are in the table below.`}>
        <Suspense fallback={<p className="wait">Loading …</p>}>
          <Plot {...props} />
        </Suspense>
      </div>
      <details>
        <summary>Newest values as a table</summary>
        <Table label={`${title}, newest values`} columns={['Time', ...lines.map(({ name }) => numeric(name))]}>
          {data.at
            .map((second, i) => (
              <tr key={second}>
                <td className="nowrap">{time(second * 1_000)}</td>
                {data.values.map((values, line) => (
                  <td key={lines[line]?.name} className="number">
                    {typeof values[i] === 'number' ? format(values[i]) : '–'}
                  </td>
                ))}
              </tr>
            ))
            .slice(-NEWEST)
            .toReversed()}
        </Table>
      </details>
    </figure>
  );
}
