import { get } from 'node:http';

const READY_WITHIN_MS = 4_000;

/**
 * Sets the exit code by the status of /ready and prints the response, so that `docker inspect` shows which dependency is
 * down. It runs every few seconds, so it loads only the HTTP client.
 */
export function askReadiness(port: number): void {
  const request = get({ host: '127.0.0.1', port, path: '/ready', timeout: READY_WITHIN_MS }, (response) => {
    response.pipe(process.stdout);
    response.on('end', () => (process.exitCode = response.statusCode === 200 ? 0 : 1));
  });
  request.on('timeout', () => request.destroy(new Error(`no response within ${READY_WITHIN_MS} ms`)));
  request.on('error', (error) => {
    process.stderr.write(`/ready: ${error.message}\n`);
    process.exitCode = 1;
  });
}
