import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';

/**
 * Spans at the boundaries of the pipeline's stages. They use only the OpenTelemetry API: without the SDK
 * (start-tracing.ts) they are no-ops that leave the trace context unchanged. http, pg and ioredis are not instrumented
 * on purpose. Instrumentation would cost time in every request and statement, sampled or not, whereas each stage knows
 * which events of a batch are sampled.
 *
 * Whether a trace is kept is decided once, where it begins. After that, the sampled flag of the stored `traceparent`
 * decides for each event whether it gets spans. An event that is not sampled costs a look at one character.
 */
const tracer = trace.getTracer('streamforge');

/** Maximum number of links per span. Without a limit, a batch of 500 sampled events would need 250,000 links. */
const MOST_LINKS = 16;
/** Records of a stream that get spans. A stream has any number of events, and a trace of a million spans is useless. */
const FOLLOWED_RECORDS = 20;

const SAMPLED = 1;

/** Returns true when the trace of this context is kept. Columns without a context hold null. */
export function isSampled(traceparent: string | null | undefined): traceparent is string {
  return typeof traceparent === 'string' && (Number.parseInt(traceparent.slice(-1), 16) & SAMPLED) === SAMPLED;
}

export interface SpanStart {
  kind?: SpanKind;
  attributes?: Attributes;
  startedMs?: number;
  /** Trace contexts of other events in the same batch. */
  links?: readonly string[];
}

/** Starts a span below the context `parent`, or a new trace when there is none. */
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

/** Returns the W3C trace context for work below this span. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`;
}

/** Runs a call to another system in a span of its own. The call passes the span on as `traceparent`. */
export async function spanOfCall<E extends { traceparent?: string | undefined }, T>(
  event: E,
  handler: string,
  call: (event: E) => Promise<T>,
): Promise<T> {
  if (!isSampled(event.traceparent)) return call(event);
  const span = startSpan(`handle ${handler}`, event.traceparent, { kind: SpanKind.CLIENT });
  try {
    return await call({ ...event, traceparent: traceparentOf(span) });
  } finally {
    span.end();
  }
}

export function endFailed(span: Span, reason: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  span.end();
}

/**
 * Returns the trace context of one record of a stream. `number` counts from 1. The first records of a sampled stream
 * stay sampled; later ones keep the trace id, with the sampled flag off.
 */
export function traceparentOfRecord(traceparent: string | undefined, number: number): string | undefined {
  if (number <= FOLLOWED_RECORDS || !isSampled(traceparent)) return traceparent;
  return unsampled(traceparent);
}

/** Returns the context with the sampled flag off, so that nothing below it is kept. */
export const unsampled = (traceparent: string): string => `${traceparent.slice(0, -2)}00`;

/** Parses `00-<trace id>-<span id>-<flags>`. Contexts from callers have been validated (http/correlation.ts). */
function spanContextOf(traceparent: string) {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}
