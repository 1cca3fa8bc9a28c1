import '../runtime/require-node';
import process from 'node:process';
import { EXIT } from './cli-error';
import { runCli } from './run-cli';

const interrupted = new AbortController();
process.once('SIGINT', () => {
  interrupted.abort();
  process.once('SIGINT', () => process.exit(EXIT.interrupted)); // a second Ctrl C does not wait for anything
});
// `streamforge events | head` closes the pipe when it has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

void runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interrupted.signal,
}).then((code) => {
  process.exitCode = code;
});
