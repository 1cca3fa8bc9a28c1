import { Writable } from 'node:stream';
import { pinoHttp } from 'pino-http';
import { lineSafe, logFormat, loggedError } from '../../../src/observability/log-format';

describe('a text in a line', () => {
  it.each([
    ['a\nlevel":"fatal', 'a\\nlevel":"fatal'],
    ['a\r\nb', 'a\\r\\nb'],
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\u2028b\u0085c', 'a\\u2028b\\u0085c'],
    ['\u0000', '\\u0000'],
    ['Grüße, 世界', 'Grüße, 世界'],
  ])('%j breaks no line and commands no terminal', (text, safe) => {
    expect(lineSafe(text)).toBe(safe);
  });

  it('is cut where it is endless', () => {
    expect(lineSafe('x'.repeat(100_000))).toHaveLength(2_000);
  });

  it.each(['amqp://guest:hunter2@host', 'Authorization: Bearer hunter2hunter2', 'password=hunter2', 'whsec_hunter2'])(
    'loses what looks like a secret: %s',
    (text) => expect(lineSafe(`failed for ${text}`)).not.toContain('hunter2'),
  );
});

describe('an error in a line', () => {
  it('is what it is, without the row that it carries', () => {
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

  it('is told with its cause', () => {
    expect(loggedError(new Error('a', { cause: new TypeError('b') }))).toMatchObject({ cause: { type: 'TypeError' } });
  });

  it('may be anything that was thrown', () => {
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
  const { logger } = pinoHttp(format, sink); // as nestjs-pino makes it

  it('writes one JSON object a line, whatever is in it', () => {
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

  it('shows no header, payload, token, password or secret that somebody logs by mistake', () => {
    lines.length = 0;
    const hidden = { authorization: 'hunter2' };
    logger.trace({ headers: hidden, payload: 'hunter2', token: 'hunter2', password: 'hunter2', secret: 'hunter2' });
    logger.trace({ event: { payload: 'hunter2' }, request: { headers: hidden, body: 'hunter2' } });
    expect(lines.join('')).not.toContain('hunter2');
  });
});
