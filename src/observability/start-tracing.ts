import { Logger } from '@nestjs/common';
import type { Settings } from '../config/settings';
import { withinDeadline } from '../runtime/deadline';

/** An unreachable collector may delay the end of the process by this much. */
const FLUSH_TIMEOUT_MS = 1_000;

/**
 * Starts the OpenTelemetry SDK. Returns a function that sends the remaining spans and stops it. The SDK is imported
 * only here, so a process without tracing does not even read its files. Endpoint, protocol, headers, sampler and batch
 * sizes are the SDK's standard settings (OTEL_*), which it reads from the environment itself.
 */
export async function startTracing(settings: Settings): Promise<() => Promise<void>> {
  const { NodeSDK, resources } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    serviceName: settings.OTEL_SERVICE_NAME,
    resource: resources.resourceFromAttributes({ 'streamforge.role': settings.APP_ROLE.join(',') }),
    // Only OTEL_RESOURCE_ATTRIBUTES is read: the process detector would also send the command line and the account.
    resourceDetectors: [resources.envDetector],
    instrumentations: [],
    // Metrics are read from /metrics and logs from stdout. Without these lists, the SDK would also send both to the
    // collector.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return () => flushed(sdk.shutdown());
}

async function flushed(shutdown: Promise<void>): Promise<void> {
  try {
    await withinDeadline(FLUSH_TIMEOUT_MS, shutdown, { late: () => new Error('the collector does not respond') });
  } catch (error) {
    new Logger('Tracing').warn(`the last spans were lost: ${String(error)}`);
  }
}
