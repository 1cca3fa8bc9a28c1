import { QUEUES } from '../../../src/broker/broker';
import { bundleBody } from '../../../src/broker/bundle-form';
import {
  doubtAbout,
  doubtAboutBundle,
  signedHeaders,
  signedHeadersOfBundle,
} from '../../../src/broker/message-signature';
import { BUNDLES } from '../../../src/broker/rabbit-names';
import { readSignedFact, signedFact } from '../../../src/redis/cached-fact';
import { fact } from '../../contract/idempotency-cache.contract';
import { message } from '../../support/broker/listener';
import { macKeys } from '../../support/mac-keys';
import { FORGERIES, type Forgeable } from '../../verify/faults/broker';
import { FACT_FORGERIES, namesToCome } from '../../verify/faults/cache';
import { SeededRandom } from '../../verify/load/random';

const MAC = macKeys('ours').current();
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

describe('forgeries of cached facts', () => {
  const KEY = 'streamforge:1:key:2';
  const TRUE = signedFact(KEY, fact().committed, MAC);

  it('are made of a true fact, and none of them is believed', () => {
    expect(readSignedFact(KEY, TRUE, MAC)).toBeDefined();
    for (const forge of FACT_FORGERIES) {
      for (const seed of SEEDS) {
        const forged = forge(TRUE, new SeededRandom(seed));
        expect([forged, readSignedFact(KEY, forged, MAC)]).toEqual([forged, undefined]);
      }
    }
  });

  it('can be made of what was forged before', () => {
    for (const forge of FACT_FORGERIES) {
      for (const text of ['', '{}', 'x']) expect(typeof forge(text, new SeededRandom(1))).toBe('string');
    }
  });

  it('are also for events that clients send next', () => {
    const names = namesToCome(['north-0-3', 'north-0-11', 'south-1-0', 'south-late-4-2']);
    expect(names).toEqual(expect.arrayContaining(['north-0-12', 'north-0-31', 'south-1-1', 'south-late-4-3']));
    expect(names).not.toContain('north-0-11');
    expect(names).toHaveLength(60);
  });
});

describe('forgeries of messages', () => {
  const sent = message({ queue: QUEUES.main, body: Buffer.from('{"id":"x","payload":{"amount":1000}}') });
  const TRUE: Forgeable = { queue: sent.queue, id: sent.id, headers: signedHeaders(sent, MAC), body: sent.body };
  const doubt = ({ queue, id, headers, body }: Forgeable) => doubtAbout(headers, { queue, id, body }, MAC);

  it('are made of a true message, and none of them is trusted', () => {
    expect(doubt(TRUE)).toBeUndefined();
    for (const { forge } of FORGERIES) {
      for (const seed of SEEDS) {
        const forged = forge(TRUE, new SeededRandom(seed));
        expect([forged, doubt(forged)]).not.toEqual([forged, undefined]);
      }
    }
  });

  it('are made of a true bundle, and none of them is trusted', () => {
    const bundle = { queue: BUNDLES, id: sent.id, body: bundleBody([sent, message(), message()]) };
    const whole: Forgeable = { ...bundle, headers: signedHeadersOfBundle(bundle, 3, MAC) };
    const doubtAboutIt = ({ headers, ...forged }: Forgeable) =>
      forged.queue === BUNDLES ? doubtAboutBundle(headers, forged, MAC) : doubt({ headers, ...forged });
    expect(doubtAboutIt(whole)).toBeUndefined();
    for (const { forge } of FORGERIES) {
      for (const seed of SEEDS) {
        const forged = forge(whole, new SeededRandom(seed));
        expect([forged, doubtAboutIt(forged)]).not.toEqual([forged, undefined]);
      }
    }
  });

  it('may be unreadable only where the run expects a parked message', () => {
    for (const { forge, isUnreadable } of FORGERIES) {
      const forged = SEEDS.map((seed) => forge(TRUE, new SeededRandom(seed)));
      const isJson = forged.every(({ headers }) => headers.startsWith('{') && headers.endsWith('}'));
      if (!isUnreadable) expect(isJson).toBe(true);
    }
  });
});
