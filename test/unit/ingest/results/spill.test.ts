import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Spill } from '../../../../src/ingest/results/spill';
import { requireSpillDirectory } from '../../../../src/ingest/results/spill-directory';
import type { SpillFile } from '../../../../src/ingest/results/spill-file';
import { Metrics } from '../../../../src/observability/metrics';

const KB = Buffer.alloc(1_024, 'x');

describe('the space for unread results', () => {
  let directory: string;
  beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-spill-'))));
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  const spillOf = (maxKb: number, metrics = new Metrics()): Spill =>
    new Spill({ SPILL_DIRECTORY: directory, SPILL_MAX_BYTES: maxKb * KB.length }, metrics);
  const opened = (spill: Spill, tenantId: string): SpillFile => spill.open(tenantId) as SpillFile;
  const fill = (file: SpillFile): number => {
    let kb = 0;
    while (file.append(KB)) kb++;
    return kb;
  };

  it('is bounded for each tenant by half of it, however many streams the tenant has', () => {
    const spill = spillOf(10);
    const files = [opened(spill, 'greedy'), opened(spill, 'greedy')];
    expect(files.map(fill)).toEqual([5, 0]);
    const other = opened(spill, 'other');
    expect(fill(other)).toBe(5);
    const third = opened(spill, 'third');
    expect(fill(third)).toBe(0);
    [...files, other, third].forEach((file) => file.close());
  });

  it('is given back when a file is closed', async () => {
    const metrics = new Metrics();
    const spill = spillOf(4, metrics);
    const used = async (): Promise<number | undefined> => (await metrics.spilledBytes.get()).values[0]?.value;
    for (let round = 0; round < 3; round++) {
      const file = opened(spill, 'acme');
      expect(fill(file)).toBe(2);
      expect(await used()).toBe(2 * KB.length);
      file.close();
      expect(await used()).toBe(0);
    }
  });

  it('has no names in its directory', () => {
    const file = opened(spillOf(4), 'acme');
    file.append(KB);
    expect(fs.readdirSync(directory)).toEqual([]);
    expect(file.read()).toEqual(KB);
    expect(file.isRead).toBe(true);
    file.close();
  });

  it('is none where SPILL_MAX_BYTES is 0', () => {
    const spill = new Spill({ SPILL_DIRECTORY: '/does/not/exist', SPILL_MAX_BYTES: 0 }, new Metrics());
    expect(spill.open('acme')).toBeUndefined();
  });

  it('stops the start of an api with a sentence when SPILL_DIRECTORY cannot be written', () => {
    const settings = { APP_ROLE: ['api' as const], SPILL_DIRECTORY: '/does/not/exist', SPILL_MAX_BYTES: 1 };
    expect(() => requireSpillDirectory(settings)).toThrow(
      /^SPILL_DIRECTORY: no file can be made in \/does\/not\/exist \(.+\)\. Mount a writable volume there, or unset it\.$/,
    );
    requireSpillDirectory({ ...settings, SPILL_DIRECTORY: directory });
    requireSpillDirectory({ ...settings, SPILL_MAX_BYTES: 0 });
    requireSpillDirectory({ ...settings, APP_ROLE: ['worker'] });
  });

  it('is none where the directory for temporary files cannot be written', () => {
    const settings = { SPILL_DIRECTORY: undefined, SPILL_MAX_BYTES: 1_024 };
    expect(new Spill(settings, new Metrics(), '/does/not/exist').open('acme')).toBeUndefined();
    const file = new Spill(settings, new Metrics(), directory).open('acme');
    expect(file).toBeDefined();
    file?.close();
  });

  it('counts a directory that disappears, and gives no file', async () => {
    const metrics = new Metrics();
    const spill = spillOf(4, metrics);
    fs.rmSync(directory, { recursive: true });
    expect(spill.open('acme')).toBeUndefined();
    expect((await metrics.spillFailures.get()).values[0]?.value).toBe(1);
  });
});
