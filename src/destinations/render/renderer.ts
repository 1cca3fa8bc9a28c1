import { Problem } from '../../event/problems';
import { ExpressionError } from '../../expressions/expression';
import { compileFilter } from '../../expressions/filter/compile-filter';
import { JsonDocument } from '../../expressions/json-document';
import { binaryCloudEvent, mediaType, structuredCloudEvent, type DescribedBody } from './cloud-event-format';
import { isOperatorFormat, type DeliveryFormat } from './delivery-format';
import { bytesOf, dataOf, jsonData } from './event-data';
import { operatorBody } from './operator-formats';
import { compileTransform, type Transform } from './transform';
import type { TransformProcess } from './transform-process';

export interface RenderOptions {
  filter: object | null;
  transform: string | null;
  format: DeliveryFormat;
}

/** The body of a delivery with the headers that describe it, or why there is none. */
export type RenderedDelivery =
  | ({ kind: 'rendered' } & DescribedBody)
  | { kind: 'failed'; reason: 'TRANSFORM_FAILED'; message: string }
  | { kind: 'held'; reason: 'CONCURRENCY_LIMIT'; message: string; afterMs: number };

/** Makes the body of a delivery of an event. Compiled once for each revision of a destination. */
export class Renderer {
  private readonly transform: Transform | undefined;
  private readonly format: DeliveryFormat;
  /** What of the destination cannot be compiled, because another build has accepted it. */
  private readonly fault: string | undefined;

  constructor(
    { filter, transform, format }: RenderOptions,
    evaluator: Pick<TransformProcess, 'evaluate' | 'mostBytes'>,
  ) {
    this.format = format;
    this.fault = filterFault(filter);
    try {
      this.transform = transform === null ? undefined : compileTransform(transform, evaluator, evaluator.mostBytes);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.fault ??= `the transform ${error.message}`;
    }
  }

  /** @param event the normalised event as JSON */
  render(event: Buffer): RenderedDelivery | Promise<RenderedDelivery> {
    if (this.fault !== undefined) return { kind: 'failed', reason: 'TRANSFORM_FAILED', message: this.fault };
    // Most destinations: the event needs no parsing.
    if (this.format === 'event' && !this.transform) return rendered({ body: event, headers: JSON_HEADERS });
    const document = new JsonDocument(event.toString('utf8'));
    return this.transform ? this.renderTransformed(document, this.transform) : checked(this.formatted(document));
  }

  private async renderTransformed(document: JsonDocument, transform: Transform): Promise<RenderedDelivery> {
    try {
      const made = await transform(document);
      if ('failure' in made) return { kind: 'failed', reason: 'TRANSFORM_FAILED', message: made.failure };
      return checked(this.formatted(document, made.json));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'overloaded') throw error;
      const afterMs = (error.extras.retryAfterSeconds ?? 1) * 1_000;
      return { kind: 'held', reason: 'CONCURRENCY_LIMIT', message: error.message, afterMs };
    }
  }

  /** @param transformed takes the place of what the format would send of the event */
  private formatted(document: JsonDocument, transformed?: string): DescribedBody {
    const isOfProducer = transformed === undefined;
    if (this.format === 'event') return { body: Buffer.from(transformed ?? document.text), headers: JSON_HEADERS };
    if (isOperatorFormat(this.format)) return operatorBody(this.format, document, transformed);
    const data = isOfProducer ? dataOf(document) : jsonData(transformed);
    if (this.format === 'cloudevents') return structuredCloudEvent(document, data, isOfProducer);
    if (this.format === 'cloudevents-binary') return binaryCloudEvent(document, data, isOfProducer);
    return { body: bytesOf(data), headers: { 'content-type': mediaType(data.contentType) } };
  }
}

function filterFault(filter: object | null): string | undefined {
  const made = filter === null ? undefined : compileFilter(filter);
  const [error] = made && 'errors' in made ? made.errors : [];
  return error && `the filter cannot be used: ${error.pointer} ${error.message}`;
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/** Most servers refuse a request with more bytes of headers. Extensions of a CloudEvent may be as long as an event. */
const MOST_HEADER_BYTES = 16_384;

const rendered = (made: DescribedBody): RenderedDelivery => ({ kind: 'rendered', ...made });

function checked(made: DescribedBody): RenderedDelivery {
  const bytes = Object.entries(made.headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes <= MOST_HEADER_BYTES) return rendered(made);
  const message = `the format makes ${bytes} bytes of headers; the maximum is ${MOST_HEADER_BYTES}`;
  return { kind: 'failed', reason: 'TRANSFORM_FAILED', message };
}
