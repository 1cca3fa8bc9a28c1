import { Counter, Gauge, Histogram } from 'prom-client';
import type * as Spans from '../src/observability/spans.js';
import { compiled } from '#bench/compiled';

/** Disables all metrics. Call it before the application is created. */
export function measureNothing(): void {
  const nothing = (): void => undefined;
  Object.assign(Counter.prototype, { inc: nothing });
  Object.assign(Gauge.prototype, { set: nothing, inc: nothing, dec: nothing });
  Object.assign(Histogram.prototype, { observe: nothing, startTimer: () => nothing });
}

/** Removes the work that the tracing calls do while tracing is off. */
export function traceNothing(): void {
  const spans = compiled<{ -readonly [Name in keyof typeof Spans]: unknown }>('observability/spans');
  spans.isSampled = () => false;
  spans.traceparentOfRecord = (traceparent: string | undefined) => traceparent;
}
