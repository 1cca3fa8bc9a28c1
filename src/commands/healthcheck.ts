import '../runtime/require-node';
import { get } from 'node:http';

const TIMEOUT_MS = 4_000;

/**
 * The container's HEALTHCHECK: exit code 0 when this process says that it can do its job. It runs every few seconds, so
 * it imports nothing but HTTP.
 */
const request = get(
  { host: '127.0.0.1', port: Number(process.env.PORT) || 3000, path: '/ready', timeout: TIMEOUT_MS },
  (answer) => {
    answer.pipe(process.stdout); // `docker inspect` shows it: which dependency is down
    answer.on('end', () => (process.exitCode = answer.statusCode === 200 ? 0 : 1));
  },
);
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on('error', (error) => {
  process.stderr.write(`/ready: ${error.message}\n`);
  process.exitCode = 1;
});
