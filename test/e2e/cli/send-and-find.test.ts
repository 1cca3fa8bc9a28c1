import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cliEnv, runStreamforge, type CliRun } from '../../support/cli';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';

const running = useApp();
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-cli-'));
afterAll(() => fs.rmSync(home, { recursive: true }));

const run = (args: string[], env: Record<string, string | undefined> = {}, input = ''): Promise<CliRun> =>
  runStreamforge(args, { env: cliEnv(running.url, env), input });

describe('streamforge send', () => {
  it('sends an event of options, and says when it is a duplicate', async () => {
    const args = ['send', '--type', 'a', '--subject', 's', '--payload', '{"n":10.10}', '--event-id', 'once'];
    const first = await run(args);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^accepted [0-9a-f-]{36}\n$/) as string });
    const again = await run([...args, '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'duplicate', id: first.stdout.slice(9, 45) });
  });

  it('sends an envelope as an argument, from a file and from standard input, and numbers arrive exactly', async () => {
    const file = path.join(home, 'event.json');
    const envelope = (id: string): string =>
      `{"eventId":"${id}","eventType":"t","subject":"s","payload":12345678901234567890}`;
    fs.writeFileSync(file, envelope('file'));
    expect((await run(['send', envelope('argument')])).code).toBe(0);
    expect((await run(['send', `@${file}`])).code).toBe(0);
    expect((await run(['send', '-'], {}, envelope('dash'))).code).toBe(0);
    expect((await run(['send'], {}, envelope('pipe'))).code).toBe(0);
    for (const id of ['argument', 'file', 'dash', 'pipe']) {
      const { stdout } = await run(['events', 'show', id, '--json']);
      expect(stdout).toContain('"payload":12345678901234567890');
    }
  });

  it('sends several, shows which were rejected, and ends with 7', async () => {
    const { code, stdout, stderr } = await run(
      ['send', '-'],
      {},
      '[{"eventType":"t","subject":"s","payload":1},{"eventType":"t"}]',
    );
    expect(code).toBe(7);
    expect(stdout).toBe('2 events: 1 accepted, 0 duplicates, 1 rejected\n');
    expect(stderr).toMatch(/2: .*required.*invalid-event/);
  });

  it.each([
    [['send', '--type', 'a', '--subject', 's', '--payload', 'hello'], 2, /The payload is no JSON: hello/],
    [['send', '--type', 'a', '--subject', 's', '--payload', '1', '--occurred-at', 'then'], 2, /"then" is no time/],
    [['send', '{"eventType":"a"}'], 3, /subject.*\(invalid-event, correlation id /],
    [['send', '--token', 'x', '{}'], 2, /Set STREAMFORGE_TOKEN/],
    [['sned'], 2, /Did you mean send/],
    [['events', 'show', 'nobody'], 5, /event-not-found/],
  ])('%j ends with %d and one sentence', async (args, code, sentence) => {
    const result = await run(args);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
    expect(result.stderr).toMatch(sentence);
  });

  it('says what is missing where nobody can be asked', async () => {
    const tenantless = await run(['send', '--type', 'a', '--subject', 's', '--payload', '1'], {
      STREAMFORGE_TENANT: undefined,
    });
    expect(tenantless).toMatchObject({ code: 2, stderr: expect.stringContaining('--tenant') as string });
    const tokenless = await run(['events'], { STREAMFORGE_TOKEN: undefined });
    expect(tokenless).toMatchObject({ code: 4, stderr: expect.stringContaining('STREAMFORGE_TOKEN') as string });
    const away = await run(['events'], { STREAMFORGE_URL: 'http://127.0.0.1:9' });
    expect(away).toMatchObject({ code: 6, stderr: expect.stringContaining('cannot be reached') as string });
  });

  it('tells a script what failed as JSON', async () => {
    const { code, stderr } = await run(['events', '--json'], { STREAMFORGE_TOKEN: 'wrong' });
    expect(code).toBe(4);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { exitCode: 4, status: 401, code: 'admin-token-invalid', retryable: false },
    });
  });
});

describe('streamforge events', () => {
  it('lists what matches, as a table and as JSON, and what happened to one', async () => {
    await run(['send', '--type', 'listed.one', '--subject', 's', '--payload', '1', '--event-id', 'l']).then(() =>
      run(['send', '--type', 'listed.two', '--subject', 's', '--payload', '1']),
    );
    const sent = JSON.parse(
      (await run(['send', '--type', 'listed.two', '--subject', 's', '--payload', '{}', '--json'])).stdout,
    ) as {
      id: string;
    };
    await eventually(async () => {
      const { stdout } = await run(['events', '--type', 'listed.*', '--status', 'COMPLETED', '--json']);
      expect((JSON.parse(stdout) as { events: object[] }).events).toHaveLength(3);
    });
    const { stdout } = await run(['events', 'list', '--type', 'listed.two', '--from', '1h']);
    expect(stdout.split('\n')[0]).toMatch(/^RECEIVED +ID +TENANT +STATUS +TYPE +SUBJECT$/);
    expect(stdout).toContain(`${sent.id}  acme    COMPLETED  listed.two`);
    expect((await run(['events', 'timeline', sent.id])).stdout).toContain('was received');
  });
});

describe('streamforge profiles', () => {
  const env = { XDG_CONFIG_HOME: home, STREAMFORGE_URL: undefined, STREAMFORGE_TOKEN: undefined };

  it('keeps an installation with its token, which no list shows', async () => {
    const { STREAMFORGE_TOKEN } = cliEnv('');
    const added = await run(['profiles', 'add', 'here', '--url', running.url], { ...env, STREAMFORGE_TOKEN });
    expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining('Saved the profile here') as string });
    expect((await run(['events'], env)).code).toBe(0);
    const { stdout } = await run(['profiles', '--json'], env);
    expect(JSON.parse(stdout)).toEqual({
      profiles: [{ name: 'here', current: true, url: running.url, tenant: 'acme', hasToken: true, hasKey: false }],
    });
    expect((await run(['profiles', 'remove', 'here'], env)).code).toBe(0);
    expect((await run(['profiles', 'use', 'here'], env)).code).toBe(5);
  });
});

describe('streamforge completion', () => {
  it('completes commands and options in bash', async () => {
    const script = path.join(home, 'completion.sh');
    fs.writeFileSync(script, (await run(['completion', 'bash'])).stdout);
    const { execFileSync } = await import('node:child_process');
    const completed = (...words: string[]): string =>
      execFileSync(
        'bash',
        [
          '-c',
          `source ${script}; COMP_WORDS=(streamforge ${words.map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length}; _streamforge; echo "\${COMPREPLY[*]}"`,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(completed('ev')).toBe('events');
    expect(completed('events', 'sh')).toBe('show');
    expect(completed('--json', 'events', 'list', '--sub')).toBe('--subject');
  });

  it.each(['zsh', 'fish'])('has a script for %s', async (shell) => {
    expect((await run(['completion', shell])).stdout).toContain('streamforge');
  });
});
