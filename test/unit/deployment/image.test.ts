import { readFileSync } from 'node:fs';
import * as path from 'node:path';

const read = (name: string): string => readFileSync(path.resolve(__dirname, '../../..', name), 'utf8');

it('the image runs Node with the flags of npm start', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  const entrypoint = /^ENTRYPOINT (.*)$/m.exec(read('docker/Dockerfile'))?.[1];
  const command = /^exec (node .*) dist\/src\/main\.js$/.exec(scripts.start)?.[1];
  expect(JSON.parse(entrypoint ?? '[]')).toEqual(command?.split(' '));
});
