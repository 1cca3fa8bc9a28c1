import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatClock } from '../../format/times';
import type { ChartProps } from './chart';
import { watchColours } from './watch-colours';

const HEIGHT = 180;
/** Room for the labels of the value axis, in px. */
const AXIS_SIZE = 64;
/** Px between two labels of the time axis. */
const TIME_SPACE = 90;
/** Px that half of a date needs to the right of the newest value. */
const HALF_DATE = 40;
/** Lines differ by their dashes too, for those who see no colours. */
const DASHES: Record<string, number[]> = { first: [], second: [6, 3], third: [2, 3], fourth: [8, 3, 2, 3] };

/** Draws the chart on a canvas. It is drawn anew when its lines or the colours of the page change. */
export function Plot({ lines, data, format, time = formatMinute, isUtc = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = useRef({ data, format, time, isUtc });
  useEffect(() => {
    newest.current = { data, format, time, isUtc };
    plot.current?.setData([data.at, ...data.values]);
  }, [data, format, time, isUtc]);
  const names = JSON.stringify(lines);
  useEffect(() => {
    const target = place.current;
    if (!target) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      const { data: shown, ...writers } = newest.current;
      const options = optionsFor(JSON.parse(names) as ChartProps['lines'], writers, target.clientWidth);
      plot.current = new uPlot(options, [shown.at, ...shown.values], target);
    };
    draw();
    const stopWatching = watchColours(draw);
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: target.clientWidth, height: HEIGHT }));
    sizes.observe(target);
    return () => {
      stopWatching();
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [names]);
  return <div ref={place} className="plot-place" />;
}

function optionsFor(
  lines: ChartProps['lines'],
  { format, time, isUtc }: Required<Pick<ChartProps, 'format' | 'time' | 'isUtc'>>,
  width: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement('span');
  document.body.append(probe);
  // A custom property has the text `light-dark(…)`; a colour that uses it is computed.
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const axis = {
    stroke: colour('faint'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
    font: `12px ${style.fontFamily}`,
  };
  const options: uPlot.Options = {
    width,
    height: HEIGHT,
    padding: [null, isUtc ? HALF_DATE : null, null, null],
    // Labels stand where a minute, an hour or a day begins: of the time zone in which they are written.
    tzDate: (second) => (isUtc ? uPlot.tzDate(new Date(second * 1_000), 'Etc/UTC') : new Date(second * 1_000)),
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, space: TIME_SPACE, values: (_plot, seconds) => seconds.map((second) => time(second * 1_000)) },
      { ...axis, size: AXIS_SIZE, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ name, tone }): uPlot.Series => ({
        label: name,
        stroke: colour(`chart-${tone}`),
        width: 2,
        dash: DASHES[tone] ?? [],
        points: { show: true, size: 5, filter: aloneIn },
      })),
    ],
  };
  probe.remove();
  return options;
}

/** The values without neighbours, which no line would show. */
function aloneIn(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
}

/** `05:08`: the axis has no room for seconds. */
const formatMinute = (ms: number): string => formatClock(ms).slice(0, 5);
