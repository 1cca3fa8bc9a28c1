import * as fc from 'fast-check';
import jsonata from 'jsonata';
import { compileExpression, ExpressionError } from '../../../src/expressions/expression';
import { ExpressionProcess } from '../../../src/expressions/expression-process';
import type { ExpressionScope, Found } from '../../../src/expressions/expression-scope';
import { JsonDocument } from '../../../src/expressions/json-document';
import { findByPath, plainPathOf } from '../../../src/expressions/plain-path';
import { Problem } from '../../../src/event/problems';

const evaluator = new ExpressionProcess();
afterAll(() => evaluator.stop());

function scopeOf(body: unknown, more: Partial<ExpressionScope> = {}): ExpressionScope {
  const document = new JsonDocument(JSON.stringify(body));
  return { document, body: document, headers: {}, query: {}, path: '', ...more };
}

const find = async (text: string, scope: ExpressionScope): Promise<Found> =>
  compileExpression(text, evaluator).find(scope);

/** The value that an expression finds, 'nothing', or why it failed. */
async function resultOf(text: string, body: unknown = {}, more: Partial<ExpressionScope> = {}): Promise<unknown> {
  const found = await find(text, scopeOf(body, more));
  if ('failure' in found) return found.failure;
  return 'json' in found ? found.json.value : 'nothing';
}

const order = {
  id: 7,
  lines: [
    { n: 2, price: 1.5 },
    { n: 1, price: 4 },
  ],
  name: 'Ada',
  state: 'NEW',
  none: null,
};

describe('JSONata', () => {
  it.each([
    ['$sum(lines.(n * price))', 7],
    ['$lowercase(state) & "." & name', 'new.Ada'],
    ['lines.price', [1.5, 4]],
    ['lines[price > 2].n', 1],
    ['lines[].n', [2, 1]],
    ['missing & ""', ''],
    ['lines[price > 9]', 'nothing'],
    ['none ? 1 : null', null],
    ['{"a": id, "b": missing}', { a: 7 }],
    ['$replace(name, /d(a)/, "-$1")', 'A-a'],
    ['$split("a1b22c", /[0-9]+/)', ['a', 'b', 'c']],
    ['$match("ab12cd3", /([a-z]+)(\\d)/).groups[1]', ['1', '3']],
    ['$contains("Straße", /STRASSE|straße/i)', true],
    ['$map([1..3], function($x) { $x * $x })', [1, 4, 9]],
    ['($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(50) > 1e60)', true],
    ['$fromMillis(0)', '1970-01-01T00:00:00.000Z'],
    ['lines^(price).n', [2, 1]],
  ])('%s gives %j', async (text, result) => expect(await resultOf(text, order)).toEqual(result));

  it('has the headers in any case, the query, the path and the whole body', async () => {
    const more = { headers: { 'X-GitHub-Event': 'issues' }, query: { a: ['1', '2'] }, path: '/x' };
    expect(await resultOf('$headers.`x-github-event` & "." & action', { action: 'opened' }, more)).toBe(
      'issues.opened',
    );
    expect(await resultOf('$lookup($headers, "X-GITHUB-EVENT") & ""', {}, more)).toBe('issues');
    expect(await resultOf('$keys($headers)', {}, more)).toBe('x-github-event');
    expect(await resultOf('$headers.missing & "-"', {}, more)).toBe('-');
    expect(await resultOf('$join($query.a, "+") & $path', {}, more)).toBe('1+2/x');
    const body = new JsonDocument('{"all":1}');
    expect(await resultOf('$body.all + own', { own: 2 }, { body })).toBe(3);
  });

  it('gives a constant at once', () => {
    const never = { evaluate: () => Promise.reject(new Error('evaluated')) };
    const valueOf = (text: string): unknown => compileExpression(text, never).find(scopeOf({}));
    expect(valueOf('"order.created"')).toMatchObject({ json: { value: 'order.created', text: '"order.created"' } });
    expect(valueOf('10.10')).toMatchObject({ json: { value: 10.1 } });
    expect(valueOf('null')).toMatchObject({ json: { value: null } });
    expect(valueOf('true')).toMatchObject({ json: { value: true } });
  });

  it('evaluates a plain path that leads through an array', async () => {
    expect(await resultOf('lines.price', order)).toEqual([1.5, 4]);
    expect(await resultOf('price', order.lines)).toEqual([1.5, 4]);
    expect(await resultOf('id[0]', order)).toBe(7);
    expect(await resultOf('pairs[0]', { pairs: [[1], [2]] })).toEqual([1]);
  });

  it('does not mistake names of the data for those of another event', async () => {
    const scope = (text: string): ExpressionScope => {
      const document = new JsonDocument(text);
      return { document, body: document, headers: {}, query: {}, path: '' };
    };
    await find('$keys($)', scope('{"first":1,"\\\\":2}'));
    expect(await find('$keys($)[1]', scope('{"first":1,"\\u0061":2}'))).toMatchObject({ json: { value: 'a' } });
  });

  it('gives every request its own result, although many are sent at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const scope = scopeOf({ i });
        const some = await Promise.all(['i + 1', '$string(i)', 'i[$ > 1000]'].map((text) => find(text, scope)));
        return some.map((found) => ('json' in found ? found.json.value : found));
      }),
    );
    expect(results).toEqual(Array.from({ length: 500 }, (_, i) => [i + 1, String(i), { nothing: true }]));
  });

  it('refuses more than it can hold, as overloaded, and goes on', async () => {
    const scope = scopeOf({});
    const all = await Promise.allSettled(Array.from({ length: 2_500 }, () => find('1 + 1', scope)));
    const refused = all.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused.length).toBe(500);
    expect(refused[0]?.reason).toBeInstanceOf(Problem);
    expect(refused[0]?.reason).toMatchObject({ code: 'overloaded', extras: { retryAfterSeconds: 1 } });
    expect(await resultOf('1 + 1')).toBe(2);
  });
});

/** Any plain path gives what JSONata itself gives, or leaves the work to it. */
it('a plain path gives the same as JSONata on every value', async () => {
  const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'length', '0');
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 1, 'text', true, ''),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members) as unknown),
    ),
  })).value;
  const step = fc.tuple(name, fc.constantFrom('', '', '', '[0]', '[1]', '[-1]', '[0.5]', '[0][0]'));
  const path = fc.tuple(fc.constantFrom('', '', '$.', '$body.'), fc.array(step, { minLength: 1, maxLength: 3 }));
  let followed = 0;
  await fc.assert(
    fc.asyncProperty(value, path, async (body, [root, steps]) => {
      const text = root + steps.map(([member, index]) => `\`${member}\`${index}`).join('.');
      const plain = plainPathOf(jsonata(text).ast());
      const found = plain && findByPath(plain, scopeOf(body));
      expect(plain).toBeDefined();
      if (!found) return;
      followed += 1;
      const expected: unknown = await jsonata(text).evaluate(body, { body });
      expect('json' in found ? JSON.stringify(found.json.value) : undefined).toBe(JSON.stringify(expected));
    }),
    { numRuns: 1_500 },
  );
  expect(followed).toBeGreaterThan(500);
});

describe('a hostile expression', () => {
  const time = 'takes more than 250 ms of CPU time';
  const memory = 'needs more than 64 MB';
  const list = 'makes a list of more than 200000 items';
  const depth = 'is nested too deeply, or a function calls itself without end';
  const anyEnd = [time, memory, list, depth];
  const doubled = (text: string): string =>
    `($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; ${text.replaceAll('BIG', '$d("xxxxxxxx", 19)')})`;

  it.each([
    ['loops for ever', '($f := function($x) { $f($x + 1) }; $f(0))', [time]],
    ['calls itself without end', '($f := function($x) { 1 + $f($x) }; $f(0))', [depth]],
    ['doubles a text', '($f := function($s) { $f($s & $s) }; $f("x"))', [memory]],
    ['doubles a list', '($f := function($a) { $f($append($a, $a)) }; $f([1]))', [list]],
    ['makes a long range', '[1..10000000]', [list]],
    ['makes a range beyond the language', '[1..1e12]', [list]],
    ['makes ranges of ranges', '$sum([1..200000].([1..200000].($ * 2)))', [time, memory, list]],
    ['pads a text', '$pad("x", 2e9)', [memory, time, 'Invalid array length']],
    ['pads a text to 400 MB', '$length($pad("x", 4e8))', [memory, time]],
    ['joins long texts', doubled('$length($join([1..200].BIG))'), [memory, time]],
    ['splits a long text', doubled('$count($split(BIG, ""))'), [memory, time, list]],
    ['replaces every character by a long text', doubled('$length($replace(BIG, "x", BIG))'), [memory, time]],
    [
      'nests objects that share their parts',
      '($f := function($o) { $f({"a": $o, "b": $o}) }; $f({}))',
      [depth, time, memory],
    ],
    [
      'makes text of shared parts',
      '($f := function($o, $n) { $n = 0 ? $o : $f([[$o], [$o]], $n - 1) }; $string($f([1], 40)))',
      [memory, time],
    ],
    [
      'results in shared parts',
      '($f := function($o, $n) { $n = 0 ? $o : $f([[$o], [$o]], $n - 1) }; $f([1], 40))',
      [memory, time],
    ],
    ['merges many objects', '$merge($map([1..200000], function($i) { {"k" & $i: $i} }))', [time, memory]],
    ['groups many names', '[1..200000]{"k" & $: $}', [time, memory]],
    ['sorts with a slow order', '$sort([1..200000], function($a, $b) { $random() > 0.5 })', [time]],
    ['compares all with all', '$distinct([1..200000])', [time, 200_000]],
    ['backtracks in a pattern', '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)', ['nothing']],
    [
      'backtracks in a picture',
      '$toMillis($pad("1", 4000, "1"), "[Y][Y][Y][Y][Y][Y][Y][Y][Y]x")',
      [time, 'nothing', 'error'],
    ],
    ['evaluates text that loops', '$eval("($f := function($x) { $f($x) }; $f(0))")', [time, 'error']],
    [
      'descends everywhere',
      '($f := function($o, $n) { $n = 0 ? $o : $f([[$o], [$o]], $n - 1) }; $count($f([1], 30).**))',
      anyEnd,
    ],
  ])('that %s is stopped, and says so', async (_what, text, ends: unknown[]) => {
    const result = await resultOf(text);
    const known = ends.some((end) => (end === 'error' ? typeof result === 'string' : end === result));
    const shown = Array.isArray(result) ? result.length : result;
    expect(known || ends.includes(shown) ? 'stopped' : shown).toBe('stopped');
    expect(await resultOf('a + 1', { a: 1 })).toBe(2);
  });

  it('in a body that is hostile is stopped as well', async () => {
    const body = { text: 'x'.repeat(250_000), list: Array.from({ length: 100_000 }, (_, i) => i) };
    expect(anyEnd).toContainEqual(await resultOf('$map(list, function($a) { $map(list, function($b) { $a }) })', body));
    expect(anyEnd).toContainEqual(await resultOf('$join(list.(%.text))', body));
    expect(await resultOf('$count(list)', body)).toBe(100_000);
  });

  it('delays the expressions of others by no more than one time limit', async () => {
    const hostile = '($f := function($x) { $f($x + 2) }; $f(0))';
    await resultOf(hostile);
    const waiting = Array.from({ length: 10 }, () => resultOf(hostile, {}));
    const started = performance.now();
    expect(await resultOf('a + 1', { a: 1 })).toBe(2);
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([time]));
  });

  it('stops alone: the others of its request get their results', async () => {
    const scope = scopeOf({ a: 1 });
    const killed = '$length($replace($pad("", 4000000, "x"), "x", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))';
    const found = await Promise.all(['a + 1', killed, 'a + 2'].map((text) => find(text, scope)));
    expect(found).toMatchObject([
      { json: { value: 2 } },
      { failure: expect.any(String) as string },
      { json: { value: 3 } },
    ]);
  });

  it('does not leak memory, 200 times in a row', async () => {
    const texts = [
      '($f := function($s) { $f($s & $s) }; $f("x"))',
      '[1..10000000]',
      '($f := function($x) { 1 + $f($x) }; $f(0))',
      '($f := function($a) { $f($append($a, $a)) }; $f([1]))',
    ];
    const killed = '($f := function($o, $n) { $n = 0 ? $o : $f([[$o], [$o]], $n - 1) }; $string($f([1], 40)))';
    const run = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        expect(anyEnd).toContainEqual(await resultOf(i % 40 === 0 ? killed : (texts[i % 4] as string)));
      }
    };
    const megabytes = (): number => process.memoryUsage().rss / 1e6;
    await run(20);
    const before = megabytes();
    await run(200);
    expect(megabytes() - before).toBeLessThan(60);
    expect(await resultOf('1 + 1')).toBe(2);
  });
});

describe('a result', () => {
  it('of more than a mebibyte is refused', async () => {
    expect(await resultOf('$pad("", 1000000, "x")')).toHaveLength(1_000_000);
    expect(await resultOf('$pad("", 1100000, "x")')).toBe('result larger than 1048576 bytes');
    expect(await resultOf('$pad("", 600000, "é")')).toBe('result larger than 1048576 bytes');
  });

  it('cannot be a function', async () => {
    expect(await resultOf('function($x) { $x }')).toBe('the result is a function');
    expect(await resultOf('$sum')).toBe('the result is a function');
    expect(await resultOf('{"a": function($x) { $x }, "b": 1}')).toEqual({ b: 1 });
  });

  it.each([
    ['secret + 1', 'The left side of the "+" operator must evaluate to a number (at position 8)'],
    ['$number(secret)', 'Unable to cast value to a number: … (at position 8)'],
    ['$nosuch(1)', 'Attempted to invoke a non-function (at position 8)'],
    ['$error("no order")', 'no order (at position 7)'],
    ['$error("bad " & secret)', 'failed by $error or $assert (at position 7)'],
    ['$assert(false, secret)', 'failed by $error or $assert (at position 8)'],
  ])('of %s is a failure that does not show the data', async (text, failure) => {
    expect(await resultOf(text, { secret: 'p4ssw0rd' })).toBe(failure);
  });
});

describe('a regular expression', () => {
  it.each([
    ['$match("a", /(?=a)/)', 'look-ahead'],
    ['$match("aa", /(a)\\1/)', 'a back reference'],
  ])('%s with what the engine does not support is refused when it is compiled: %s', (text) => {
    expect(() => compileExpression(text, evaluator)).toThrow(ExpressionError);
    expect(() => compileExpression(text, evaluator)).toThrow(/^is not valid JSONata: .*position \d+/);
  });
});

it.each(
  [
    '('.repeat(8_000),
    '['.repeat(8_000),
    'a.'.repeat(4_000) + 'a',
    '-'.repeat(8_000) + '1',
    '%.'.repeat(4_000) + 'a',
    'a[%.b]'.repeat(1_200),
    `$x(/${'(a{1000}'.repeat(40)}${'){1000}'.repeat(40)}/)`,
    `$x(/${'((a{10}){10}){10}'.repeat(58)}/)`,
    `$x(/${'((a{10}){10}){10}'.repeat(400)}/)`,
    `$x(/${'[^a]{1000}'.repeat(99)}/)`,
    'function($x)<'.padEnd(8_000, 'a<') + '>{1}',
    '"a" & '.repeat(1_300) + '1',
    '1 ? '.repeat(2_000),
  ].map((text) => [text.slice(0, 20), text]),
)('%s… is compiled fast or refused', (_what, text) => {
  const started = performance.now();
  try {
    compileExpression(text, evaluator);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
  }
  expect(performance.now() - started).toBeLessThan(20_000); // 0.9 s at most on an idle machine
});
