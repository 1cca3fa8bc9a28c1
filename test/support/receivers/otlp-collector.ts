import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  /** Role of the process that sent the span. */
  role: string;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface Exported {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        attributes: Attribute[];
        links: { traceId: string; spanId: string }[];
      }[];
    }[];
  }[];
}

const KINDS = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

/** An OTLP collector that keeps all spans that it receives as http/json. */
export class OtlpCollector {
  readonly spans: CollectedSpan[] = [];

  private constructor(
    readonly env: Record<string, string>,
    readonly close: () => Promise<void>,
  ) {}

  /** Returns the environment that makes a process send its spans to a collector on that port. */
  static envOf(port: number): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
  }

  /** @param port 0 for any free port. */
  static async start(port = 0): Promise<OtlpCollector> {
    let onSpans = (_exported: Exported): void => undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') onSpans(JSON.parse(Buffer.concat(chunks).toString()) as Exported);
        response.setHeader('Content-Type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const env = OtlpCollector.envOf((server.address() as AddressInfo).port);
    const collector = new OtlpCollector(env, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    onSpans = (exported) => collector.take(exported);
    return collector;
  }

  /** Returns the span of that name. Throws unless there is exactly one. */
  one(traceId: string, name: string): CollectedSpan {
    const found = this.spans.filter((span) => span.traceId === traceId && span.name === name);
    if (found.length !== 1) throw new Error(`${found.length} spans ${name}; there are ${this.names(traceId)}`);
    return found[0] as CollectedSpan;
  }

  private names(traceId: string): string {
    const own = this.spans.filter((span) => span.traceId === traceId);
    return own.map(({ name }) => name).join(', ');
  }

  private take({ resourceSpans }: Exported): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const role = String(attributesOf(resource.attributes)['streamforge.role']);
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            ...span,
            parentSpanId: span.parentSpanId === '' ? undefined : span.parentSpanId,
            kind: KINDS[span.kind] ?? 'INTERNAL',
            attributes: attributesOf(span.attributes),
            role,
          });
        }
      }
    }
  }
}

function attributesOf(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
