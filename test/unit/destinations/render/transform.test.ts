import { TransformProcess } from '../../../../src/destinations/render/transform-process';
import type { RenderedDelivery } from '../../../../src/destinations/render/renderer';
import { bodyOf, render } from '../../../support/receivers/rendered';

const EVENT = '{"type":"order.paid","subject":"o-1","payload":{"amount":10.10,"long":12345678901234567890}}';
const MAX_EVENT_BYTES = 262_144;

describe('a transform', () => {
  const process = new TransformProcess({ MAX_EVENT_BYTES });
  afterAll(() => process.stop());
  const failureOf = (made: RenderedDelivery): string => (made.kind === 'failed' ? made.message : made.kind);

  it.each([
    ['{ "text": "Order " & subject & " for " & $string(payload.amount) }', '{"text":"Order o-1 for 10.1"}'],
    ['payload', '{"amount":10.10,"long":12345678901234567890}'],
    ['/payload/long', '12345678901234567890'],
    ['"constant"', '"constant"'],
    ['null', 'null'],
  ])('%s makes the body %s', async (transform, body) => {
    expect(await bodyOf(EVENT, { transform }, process)).toEqual({ body, type: 'application/json' });
    expect((await bodyOf(EVENT, { transform, format: 'payload' }, process)).body).toBe(body);
  });

  it.each([
    ['yields nothing', 'payload.missing', 'the transform failed: it yields nothing'],
    ['throws', '$error("no order")', 'the transform failed: no order (at position 7)'],
    [
      'calls itself without end',
      '($f := function($x) { 1 + $f($x) }; $f(0))',
      /nested too deeply, or a function calls/,
    ],
    ['loops for ever', '($f := function($x) { $f($x + 1) }; $f(0))', /takes more than 50 ms of CPU time/],
    ['sorts with a slow order', '$sort([1..200000], function($a, $b) { $random() > 0.5 })', /50 ms of CPU time/],
    ['has a large result', '$pad("", 300000, "x")', 'the transform failed: result larger than 262144 bytes'],
    ['has a result of 10 MB', '[1..40].($pad("", 250000, "x"))', /result larger than 262144 bytes|50 ms of CPU|64 MB/],
    [
      'makes text of shared parts in one call',
      '($f := function($o, $n) { $n = 0 ? $o : $f([[$o], [$o]], $n - 1) }; $string($f([1], 40)))',
      /takes more than 50 ms of CPU time|needs more than 64 MB/,
    ],
    ['is no JSONata', 'payload.', /^the transform is not valid JSONata: /],
  ])('that %s fails with the reason', async (_what, transform, message) => {
    const made = await render(EVENT, { transform }, process);
    expect(made).toMatchObject({ kind: 'failed', reason: 'TRANSFORM_FAILED' });
    expect(failureOf(made)).toMatch(message);
    expect((await bodyOf(EVENT, { transform: 'payload.amount + 1' }, process)).body).toBe('11.1');
  });

  it('takes bounded time when it is hostile, and delays that of another tenant by one such time', async () => {
    const hostile = '($f := function($x) { $f($x + 3) }; $f(0))';
    await render(EVENT, { transform: hostile }, process);
    const waiting = Array.from({ length: 20 }, () => render(EVENT, { transform: hostile }, process));
    const startedMs = performance.now();
    await bodyOf(EVENT, { transform: 'payload.amount + 2' }, process);
    const tookMs = performance.now() - startedMs;
    const ended = (await Promise.all(waiting)).filter(({ kind }) => kind !== 'held'); // held on a very busy machine
    expect(new Set(ended.map(failureOf))).toEqual(new Set(['the transform failed: takes more than 50 ms of CPU time']));
    expect(tookMs).toBeLessThan((performance.now() - startedMs) / 2); // it did not wait for all of them
  });

  it('is held, and does not fail, while too many wait', async () => {
    const all = await Promise.all(
      Array.from({ length: 2_100 }, (_, i) => render(EVENT.replace('o-1', `o-${i}`), { transform: '1 + 1' }, process)),
    );
    expect(all.filter(({ kind }) => kind === 'held')).toHaveLength(100);
    expect(all.find(({ kind }) => kind === 'held')).toMatchObject({ reason: 'CONCURRENCY_LIMIT', afterMs: 1_000 });
  });
});
