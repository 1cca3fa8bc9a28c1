import '../runtime/require-node';
import { Webhook } from 'standardwebhooks';
import { runCommand, UsageError } from '../runtime/command';
import { startReceiver } from './demo-receiver/receiver';

runCommand(
  {
    name: 'npm run demo:receiver',
    summary:
      'An HTTP endpoint on 127.0.0.1 for a destination to point at. It verifies signatures, prints every delivery,\n' +
      'and fails when told to.',
    options: {
      port: { type: 'string', value: '<n>', default: '4000', does: 'port to listen on' },
      secret: { type: 'string', value: '<whsec_…>', does: 'verify signatures with this secret of the destination' },
      fail: { type: 'boolean', does: 'respond with a failure instead of 200' },
      status: { type: 'string', value: '<n>', default: '500', does: 'status of that failure' },
      times: { type: 'string', value: '<n>', does: 'fail only so many times, then respond with 200' },
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
  throw new UsageError(`--${option} takes a number from ${least}${most < Infinity ? ` to ${most}` : ''}, not ${text}`);
}

function webhookOf(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch (error) {
    throw new UsageError(`--secret: ${error instanceof Error ? error.message : String(error)}`);
  }
}
