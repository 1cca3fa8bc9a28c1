import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';

const ROOT = path.resolve(__dirname, '../../..');
const read = (name: string): string => fs.readFileSync(path.join(ROOT, name), 'utf8');
const WORKFLOWS = fs.globSync('.github/workflows/*.yml', { cwd: ROOT });
const packageJson = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  scarfSettings: { enabled: boolean };
};

describe('the workflows', () => {
  it('are found', () => expect(WORKFLOWS.length).toBeGreaterThan(1));

  it.each(WORKFLOWS)('%s names every action by commit, with its version', (file) => {
    const used = read(file).match(/uses: .*/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it.each(WORKFLOWS)('%s may read the checkout and nothing else, and keeps no credentials in it', (file) => {
    const workflow = parse(read(file)) as { permissions: object; jobs: Record<string, { permissions?: object }> };
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(Object.values(workflow.jobs).filter(({ permissions }) => permissions)).toEqual([]);
    const checkouts = read(file).match(/actions\/checkout@.*\n\s+with: .*/g) ?? [];
    expect(checkouts).toHaveLength((read(file).match(/actions\/checkout@/g) ?? []).length);
    for (const checkout of checkouts) expect(checkout).toContain('persist-credentials: false');
  });
});

describe('the base image', () => {
  const BUILD = path.join(ROOT, 'scripts/build-image.sh');
  const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
  let tree: string;
  beforeEach(() => {
    tree = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-image-'));
    for (const directory of ['bin', 'docker', 'scripts']) fs.mkdirSync(path.join(tree, directory));
    fs.copyFileSync(BUILD, path.join(tree, 'scripts/build-image.sh'));
    fs.writeFileSync(path.join(tree, 'bin/docker'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  });
  afterEach(() => fs.rmSync(tree, { recursive: true }));
  const build = () =>
    spawnSync('bash', [path.join(tree, 'scripts/build-image.sh'), '--tag', 'x'], {
      encoding: 'utf8',
      env: { PATH: `${path.join(tree, 'bin')}:${process.env.PATH}` },
    });

  it('is a build argument in every stage, with the tag as its default', () => {
    const lines = read('docker/Dockerfile').match(/^(FROM|ARG) .*/gm) ?? [];
    expect(lines[0]).toMatch(/^ARG NODE_IMAGE=node:\d+-[\w-]+$/);
    expect(lines.slice(1).filter((line) => !line.startsWith('FROM ${NODE_IMAGE}'))).toEqual([]);
  });

  it('is the tag while there is no lock file', () => {
    expect(build().stdout.split('\n')).toEqual(['build', '-f', 'docker/Dockerfile', '--tag', 'x', '.', '']);
  });

  it('is the digest of the lock file', () => {
    fs.writeFileSync(path.join(tree, 'docker/images.lock'), `NODE_IMAGE=node:24-bookworm-slim@${DIGEST}\n`);
    expect(build().stdout).toContain(`--build-arg\nNODE_IMAGE=node:24-bookworm-slim@${DIGEST}\n--tag\nx\n`);
  });

  it.each(['NODE_IMAGE=node:24', `NODE_IMAGE=node@sha256:12`, `--build-arg x@${DIGEST}`])(
    'is not built from a damaged lock file: %s',
    (line) => {
      fs.writeFileSync(path.join(tree, 'docker/images.lock'), `${line}\n`);
      const { status, stderr } = build();
      expect([status, stderr]).toEqual([1, expect.stringContaining('names no image by digest')]);
    },
  );
});

it('the SBOM describes the application streamforge', () => {
  const sbom = JSON.parse(execFileSync('bash', ['scripts/sbom.sh'], { cwd: ROOT, encoding: 'utf8' })) as {
    metadata: { component: { name: string; version: string; type: string } };
  };
  expect(sbom.metadata.component).toMatchObject({ name: 'streamforge', version: '0.1.0', type: 'application' });
}, 180_000);

it('no process of StreamForge opens a debugger on a signal', () => {
  const starts = Object.values(packageJson.scripts).flatMap((text) => text.match(/node [^&]*dist\/src\/[^&]*/g) ?? []);
  const lasting = starts.filter((text) => text.includes('--enable-source-maps'));
  expect(lasting.length).toBeGreaterThan(5);
  expect(lasting.filter((text) => !text.includes('--disable-sigusr1'))).toEqual([]);
  expect(read('docker/Dockerfile')).toContain('"--disable-sigusr1"');
});

it('no package reports an installation to anybody', () => {
  expect(packageJson.scarfSettings).toEqual({ enabled: false });
});

it('Swagger UI keeps no credentials', () => {
  expect(read('src/http/docs/swagger-page.ts')).toContain('SwaggerUIBundle');
  expect(read('src/http/docs/swagger-page.ts')).not.toContain('persistAuthorization');
});
