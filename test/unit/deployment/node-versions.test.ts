import { globSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { LEAST } from '../../../src/runtime/require-node';

const ROOT = path.resolve(__dirname, '../../..');
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

describe('the Node.js version', () => {
  const { engines, devDependencies } = JSON.parse(read('package.json')) as {
    engines: { node: string };
    devDependencies: { node: string };
  };
  const major = read('.nvmrc').trim();

  it('that is needed at least is the same for npm, for the check at the start, and in the README', () => {
    expect(engines.node).toBe(`^${LEAST}.0 || >=23.8.0`); // 23.0 to 23.7 have no zstd
    expect(read('README.md')).toContain(`Node.js ${LEAST}`);
  });

  it('that the tests need is the same for Jest and in the README', () => {
    const [, needed] = /'The tests need', '([\d.]+)'/.exec(read('jest.config.js')) ?? [];
    expect(read('README.md')).toContain(`Node.js ${needed}`);
  });

  it('that runs is the same major by npm scripts, nvm, the image and CI', () => {
    expect(devDependencies.node.split('.')[0]).toBe(major);
    const images = [...read('docker/Dockerfile').matchAll(/^ARG NODE_IMAGE=node:(\d+)\S*/gm)].map(([, found]) => found);
    expect(new Set(images)).toEqual(new Set([major]));
    for (const workflow of globSync('.github/workflows/*', { cwd: ROOT })) {
      const set = read(workflow).match(/node-version\S*: [^,\s}]+/g) ?? [];
      expect(new Set(set)).toEqual(new Set(['node-version-file: .nvmrc']));
    }
  });

  it('that does not fit is told by npm: no setting mutes its warnings', () => {
    expect(read('.npmrc')).not.toMatch(/loglevel|silent|engine/);
  });
});
