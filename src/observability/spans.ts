import { ROOT_CONTEXT, SpanStatusCode, trace, type Attributes, type Span, type SpanKind } from '@opentelemetry/api';

/**
 * Spans at the seams of the pipeline, over the API alone: without the SDK (start-tracing.ts) they are no-ops that keep
 * the trace context as it is. There is no instrumentation of http, pg or ioredis on purpose: it would put its cost on
 * every request and statement, sampled or not, while the seams know which of the events in a batch are sampled.
 *
 * Whether a trace is kept is decided once, where it begins. From there on the sampled flag of the stored `traceparent`
 * says for each event whether it gets spans, so that an event without them costs a look at one character.
 */
const tracer = trace.getTracer('streamforge');

/** Links per span: a batch of 500 sampled events would otherwise need 250 000 of them. */
const MOST_LINKS = 16;
/** A stream is one request with any number of events; a trace of a million spans is of no use to anybody. */
const FOLLOWED_RECORDS = 20;

const SAMPLED = 1;

/** Whether the trace that this context belongs to is kept. (A column without one is null.) */
export function isSampled(traceparent: string | null | undefined): traceparent is string {
  return typeof traceparent === 'string' && (Number.parseInt(traceparent.slice(-1), 16) & SAMPLED) === SAMPLED;
}

export interface SpanStart {
  kind?: SpanKind;
  attributes?: Attributes;
  startedMs?: number;
  /** Trace contexts of what else went through the same batch. */
  links?: readonly string[];
}

/** A span below the context `parent`; a new trace without one. */
export function startSpan(name: string, parent: string | undefined, start: SpanStart = {}): Span {
  const { kind, attributes, startedMs, links = [] } = start;
  const options = {
    ...(kind === undefined ? {} : { kind }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(startedMs === undefined ? {} : { startTime: startedMs }),
    links: links.slice(0, MOST_LINKS).map((traceparent) => ({ context: spanContextOf(traceparent) })),
  };
  const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
  return tracer.startSpan(name, options, context);
}

/** The W3C trace context below this span. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`;
}

export function endFailed(span: Span, reason: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  span.end();
}

/**
 * The trace context of one record of a stream: the first records of a sampled stream are followed; those after them
 * keep the trace id, with the sampled flag off.
 */
export function traceparentOfRecord(traceparent: string | undefined, number: number): string | undefined {
  if (number <= FOLLOWED_RECORDS || !isSampled(traceparent)) return traceparent;
  return `${traceparent.slice(0, -2)}00`;
}

/** `00-<trace id>-<span id>-<flags>`; callers' contexts were checked when they came in (http/correlation.ts). */
function spanContextOf(traceparent: string) {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}
