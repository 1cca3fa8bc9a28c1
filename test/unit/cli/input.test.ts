import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { EXIT } from '../../../src/cli/cli-error';
import { failureOf } from '../../../src/cli/http/problem-text';
import { envelopeText } from '../../../src/cli/input/envelope';
import { filterOf } from '../../../src/cli/input/filter-options';
import { jsonText } from '../../../src/cli/input/json-text';
import { moment } from '../../../src/cli/input/moment';
import { wantsColour } from '../../../src/cli/terminal/output';
import { printable } from '../../../src/cli/terminal/printable';
import { tableLines } from '../../../src/cli/terminal/table';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');

describe('an event of options', () => {
  it('has the text of its payload, so that numbers stay exact', () => {
    const text = envelopeText({
      type: 'a"b',
      subject: 's',
      payload: ' {"n":12345678901234567890,"m":10.10} ',
      eventId: 'e',
    });
    expect(text).toBe(
      '{"eventType":"a\\"b","subject":"s","eventId":"e","payload":{"n":12345678901234567890,"m":10.10}}',
    );
  });

  it('names every option that is missing', () => {
    expect(() => envelopeText({ type: 'a' })).toThrow('needs --subject, --payload');
  });

  it.each(['hello', '', '{"a":1', "{'a':1}"])('refuses %j as a payload, and says how to write it', (payload) => {
    expect(() => envelopeText({ type: 'a', subject: 's', payload })).toThrow(
      /^The payload is (no JSON|empty).*such as/,
    );
  });

  it('may have any JSON value', () => {
    for (const value of ['null', '"text"', '1.0', '[]']) expect(jsonText(value, 'The payload')).toBe(value);
  });
});

describe('a time', () => {
  it.each([
    ['2h', '2026-11-24T10:00:00.000Z'],
    ['7d', '2026-11-17T12:00:00.000Z'],
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['2026-11-24T10:00+02:00', '2026-11-24T08:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(moment(text, NOW)).toBe(instant);
  });

  it.each(['yesterday', '2', '-2h', '2026-11-24T10:00', '2026-13-01'])('%s is none', (text) => {
    expect(() => moment(text, NOW)).toThrow('is no time');
  });
});

describe('a filter', () => {
  it('has the tenant that the user works with, unless all are asked for', () => {
    expect(filterOf({ reason: 'HTTP_5XX', destination: 'd' }, 'acme')).toEqual({
      tenantId: 'acme',
      reasonCode: 'HTTP_5XX',
      destinationId: 'd',
    });
    expect(filterOf({ allTenants: true }, 'acme')).toEqual({});
  });
});

describe('a problem', () => {
  it.each([
    [401, 'admin-token-invalid', EXIT.denied],
    [403, 'role-insufficient', EXIT.denied],
    [404, 'event-not-found', EXIT.notFound],
    [409, 'already-exists', EXIT.refused],
    [429, 'tenant-rate-limited', EXIT.unavailable],
    [503, 'storage-unavailable', EXIT.unavailable],
  ])('%d %s ends with %d, and names its code and correlation id', (status, code, exitCode) => {
    const failure = failureOf(status, { code, detail: 'What happened.', correlationId: 'c-1' }, null);
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.message).toMatch(new RegExp(`\\. \\(${code}, correlation id c-1\\)$`));
  });

  it('of a proxy has its status', () => {
    expect(failureOf(502, {}, null).message).toBe('The server answered 502. (HTTP 502)');
  });

  it('with places names each of them', () => {
    const errors = [{ pointer: '/url', message: 'must be a URL' }];
    expect(failureOf(400, { title: 'The request is invalid', code: 'invalid-request', errors }, 'c').message).toBe(
      'The request is invalid: /url: must be a URL. (invalid-request, correlation id c)',
    );
  });
});

describe('the terminal', () => {
  it('is not controlled by what producers send', () => {
    expect(printable('a\u001b[2Jb\u0007\u202ec')).toBe('a\\u001b[2Jb\\u0007\\u202ec');
    expect(tableLines(['a'], [['x\ny']])).toEqual(['A', 'x\\u000ay']);
  });

  it('has numbers at the right and a dash for nothing', () => {
    expect(tableLines(['name', 'n'], [['a', 5], ['long', 10]])).toEqual(['NAME   N', 'a      5', 'long  10']); // prettier-ignore
    expect(tableLines(['a', 'b'], [[null, 'x']])).toEqual(['A  B', '-  x']);
  });

  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
  ])('(a TTY: %s) has colours with %j: %s', (isTty, env, colours) => {
    expect(wantsColour(isTty, env)).toBe(colours);
  });
});

it('docs/cli.md has every exit code', () => {
  const page = readFileSync(path.resolve(__dirname, '../../../docs/cli.md'), 'utf8');
  const listed = [...page.matchAll(/^\| (\d+) /gm)].map(([, code]) => Number(code));
  expect(listed).toEqual(Object.values(EXIT));
});
