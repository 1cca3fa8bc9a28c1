import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { SHORT_FORM } from '../../verify/run/short-form';

const ROOT = path.resolve(__dirname, '../../..');

/** A process of its own, so that a server that never comes back costs a verdict and not the end of Jest. */
function verify(): Promise<{ code: number | null; output: string }> {
  const { seed, seconds } = SHORT_FORM;
  const options = ['--minutes', String(seconds / 60), '--seed', String(seed), '--no-shrink'];
  const run = spawn(process.execPath, [path.join(ROOT, 'scripts/verify.mjs'), ...options], { cwd: ROOT });
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  run.stdout.on('data', collect);
  run.stderr.on('data', collect);
  return new Promise((resolve) => run.once('close', (code) => resolve({ code, output })));
}

describe('the fault suite', () => {
  it('I1–I15: loses nothing that was acknowledged and does nothing twice under any fault', async () => {
    const { code, output } = await verify();
    if (code !== 0) throw new Error(`exit code ${code}:\n${output}`);
    const accepted = Number(/^accepted (\d+)/m.exec(output)?.[1]);
    expect(accepted).toBeGreaterThan(500);
  }, 700_000);
});
