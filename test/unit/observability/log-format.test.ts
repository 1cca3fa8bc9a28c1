import { Writable } from 'node:stream';
import { pinoHttp } from 'pino-http';
import { lineSafe, logFormat, loggedError } from '../../../src/observability/log-format';

describe('a text in a log line', () => {
  it.each([
    ['a\nlevel":"fatal', 'a\\nlevel":"fatal'],
    ['a\r\nb', 'a\\r\\nb'],
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
    ['\u0000', '\\u0000'],
    ['Grüße, 世界', 'Grüße, 世界'],
  ])('%j contains no line break and no terminal escape sequence', (text, safe) => {
    expect(lineSafe(text)).toBe(safe);
  });

  it('is cut at 2,000 characters', () => {
    expect(lineSafe('x'.repeat(100_000))).toHaveLength(2_000);
  });

  it.each([
    'amqp://guest:hunter2@host',
    'Authorization: Bearer hunter2hunter2',
    'password=hunter2',
    'whsec_hunter2',
    'sfk_4kQ0bZx81LpT_hunter2',
    'sfa_4kQ0bZx81LpT_hunter2',
  ])('has its secrets masked: %s', (text) => expect(lineSafe(`failed for ${text}`)).not.toContain('hunter2'));
});

describe('an error in a log line', () => {
  it('has type, message, code and stack, without the row that PostgreSQL quotes', () => {
    const error = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (a)=(my data)',
      where: 'my data',
    });
    const logged = loggedError(error);
    expect(logged).toMatchObject({ type: 'Error', message: 'duplicate key', code: '23505' });
    expect(logged.stack).toMatch(/^\s+at /);
    expect(JSON.stringify(logged)).not.toContain('my data');
  });

  it('includes its cause', () => {
    expect(loggedError(new Error('a', { cause: new TypeError('b') }))).toMatchObject({ cause: { type: 'TypeError' } });
  });

  it('may be a thrown value of any type', () => {
    expect(loggedError('just\ntext')).toEqual({ message: 'just\\ntext' });
  });
});

describe('the logger', () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const { transport: _transport, ...format } = logFormat('trace', 'api');
  const { logger } = pinoHttp(format, sink); // as nestjs-pino creates it

  it('writes one JSON object per line, even when its texts contain line breaks', () => {
    lines.length = 0;
    logger.info({ correlationId: 'a\n{"level":"fatal"}', msg: 'one\ntwo' });
    logger.warn('three\nfour');
    logger.error({ err: new Error('five\nsix') }, 'seven\neight');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.trimEnd()).not.toContain('\n');
    expect(JSON.parse(lines[2] as string)).toMatchObject({ err: { type: 'Error', message: 'five\\nsix' } });
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'one\\ntwo',
      'three\\nfour',
      'seven\\neight',
    ]);
  });

  it('masks headers, payloads, tokens, passwords and secrets that are logged by mistake', () => {
    lines.length = 0;
    const hidden = { authorization: 'hunter2' };
    logger.trace({ headers: hidden, payload: 'hunter2', token: 'hunter2', password: 'hunter2', secret: 'hunter2' });
    logger.trace({ event: { payload: 'hunter2' }, request: { headers: hidden, body: 'hunter2' } });
    expect(lines.join('')).not.toContain('hunter2');
  });
});
