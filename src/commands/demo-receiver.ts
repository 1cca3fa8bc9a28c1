import '../runtime/require-node';
import { Webhook } from 'standardwebhooks';
import { runCommand, UsageError } from '../runtime/command';
import { startReceiver } from './demo-receiver/receiver';

runCommand(
  {
    name: 'npm run demo:receiver',
    summary:
      'Starts an HTTP endpoint on 127.0.0.1 that a destination can point to. It verifies signatures, prints every\n' +
      'delivery, and can be told to fail.',
    options: {
      port: { type: 'string', value: '<n>', default: '4000', does: 'port to listen on' },
      secret: { type: 'string', value: '<whsec_…>', does: 'secret of the destination, to verify signatures' },
      fail: { type: 'boolean', does: 'respond with a failure instead of 200' },
      status: { type: 'string', value: '<n>', default: '500', does: 'status of the failure' },
      times: { type: 'string', value: '<n>', does: 'fail this many times, then respond with 200' },
    },
  },
  ({ port, secret, fail, status, times }) =>
    startReceiver({
      port: numberOf('port', port, 0, 65_535),
      webhook: secret === undefined ? undefined : webhookOf(secret),
      failureStatus: numberOf('status', status, 200, 599),
      failuresLeft: fail ? numberOf('times', times ?? 'Infinity', 1, Infinity) : 0,
    }),
);

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  throw new UsageError(
    `--${option} must be a number from ${least}${most < Infinity ? ` to ${most}` : ''}, not ${text}`,
  );
}

function webhookOf(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch (error) {
    throw new UsageError(`--secret: ${error instanceof Error ? error.message : String(error)}`);
  }
}
