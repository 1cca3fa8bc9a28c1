import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** The commands of dist/ have a test of their own (commands.test.ts). */
const OWN_SCRIPTS = Object.entries(scripts).flatMap(([name, text]) => {
  const file = /(?:node|bash) ((?:scripts|bench)\/\S+)$/.exec(text)?.[1];
  return file === undefined ? [] : [[name, file] as const];
});

it('are most of the npm scripts', () => {
  expect(OWN_SCRIPTS.map(([name]) => name)).toEqual(expect.arrayContaining(['bench', 'verify', 'sbom', 'test:setup']));
});

it.each(OWN_SCRIPTS)('npm run %s -- --help prints what the command does, and does nothing', (_name, file) => {
  const program = file.endsWith('.sh') ? 'bash' : process.execPath;
  const { status, stdout } = spawnSync(program, [file, '--help'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
  });
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^(Usage: )?(npm run|node|Installs) .+/) as string,
  });
});
