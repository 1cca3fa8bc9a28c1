import { Logger } from '@nestjs/common';
import type { Settings } from '../config/settings';
import { withinDeadline } from '../runtime/deadline';

/** A collector that is away must not use up the grace period of a shutdown. */
const FLUSH_TIMEOUT_MS = 3_000;

/**
 * Starts the OpenTelemetry SDK and returns how to stop it, with what is still to be sent. The SDK is loaded here and
 * nowhere else, so a process without tracing does not even read its files. Endpoint, protocol, headers, sampler and
 * batch sizes are the SDK's standard settings (OTEL_*), which it reads from the environment by itself.
 */
export async function startTracing(settings: Settings): Promise<() => Promise<void>> {
  const { NodeSDK, resources } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    serviceName: settings.OTEL_SERVICE_NAME,
    resource: resources.resourceFromAttributes({ 'streamforge.role': settings.APP_ROLE.join(',') }),
    // Only what OTEL_RESOURCE_ATTRIBUTES says: the process detector would send the command line and the account.
    resourceDetectors: [resources.envDetector],
    instrumentations: [],
    // Metrics and logs leave by /metrics and stdout; unset, the SDK would send them to the endpoint as well.
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return () => flushed(sdk.shutdown());
}

async function flushed(shutdown: Promise<void>): Promise<void> {
  try {
    await withinDeadline(FLUSH_TIMEOUT_MS, shutdown, { late: () => new Error('the collector does not answer') });
  } catch (error) {
    new Logger('Tracing').warn(`the last spans were not sent: ${String(error)}`);
  }
}
