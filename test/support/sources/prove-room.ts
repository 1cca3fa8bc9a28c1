import { compileHandshakes } from '../../../src/sources/handshakes/answer-handshake';
import { providerOf } from '../../../src/sources/providers/providers';
import type { Provider } from '../../../src/sources/providers/provider';
import { compileVerifier } from '../../../src/sources/verification/verifiers';
import { asReceived } from './as-received';
import { altered, alterations, flipped } from './alterations';
import { eventsOf } from './events-of';
import { NO_TOOLS, type Proof, type Sample, type SentRequest } from './proof';

type FakeTimersConfig = Extract<Parameters<typeof jest.useFakeTimers>[0], { doNotFake?: unknown }>;

const URL_OF_SOURCE = 'https://in.example.com/in/token';

/** Runs the proofs of a room of presets. */
export function proveRoom(proofs: readonly Proof[]): void {
  for (const proof of proofs) {
    describe(`the preset ${proof.provider}`, () => {
      const preset = new ProvedPreset(proof);
      acceptanceTests(preset);
      refusalTests(preset);
      mappingTests(preset);
      handshakeTests(preset);
    });
  }
}

/** A preset and requests that are signed for it. */
class ProvedPreset {
  readonly provider: Provider;
  readonly at = new Date('2026-09-21T14:13:20Z');

  constructor(readonly proof: Proof) {
    const provider = providerOf(proof.provider);
    if (!provider) throw new Error(`There is no preset ${proof.provider}.`);
    this.provider = provider;
  }

  /** A shared token says who sends a request, not what is in it. */
  get signsBody(): boolean {
    return !['token', 'basic'].includes(this.provider.verification.scheme);
  }

  /** The first sample, which the other tests alter. */
  good(): Promise<SentRequest> {
    return this.signed(this.proof.samples[0]);
  }

  async signed({ request: { headers, ...rest } }: Pick<Sample, 'request'>): Promise<SentRequest> {
    const { sign, secrets } = this.proof;
    const whole = { ...DEFAULTS, headers: { 'content-type': 'application/json', ...headers }, ...rest };
    return sign(whole, secrets[0], this.at);
  }

  /** What the package of the provider says, with its clock at the time of the signature. */
  async decided(request: SentRequest): Promise<boolean | undefined> {
    const { outside, secrets } = this.proof;
    if (!('decide' in outside)) return undefined;
    jest.useFakeTimers({ now: this.at, doNotFake: ALL_BUT_DATE });
    try {
      return await outside.decide(request, secrets[0]);
    } finally {
      jest.useRealTimers();
    }
  }

  async verdict(request: SentRequest, secrets: readonly string[] = this.proof.secrets, at = this.at): Promise<string> {
    const { verification, jsonField } = this.provider;
    const verify = compileVerifier(verification, secrets, this.proof.tools ?? NO_TOOLS);
    const verdict = await verify(asReceived(request, at, jsonField));
    return verdict.verified ? 'verified' : verdict.code;
  }
}

const ALL_BUT_DATE: NonNullable<FakeTimersConfig['doNotFake']> = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
];
const DEFAULTS = { method: 'POST', url: URL_OF_SOURCE };
const EXPIRED = 'signature-expired';
const REFUSED = expect.stringMatching(/^signature-(?:invalid|missing|expired)$/) as string;

function acceptanceTests(preset: ProvedPreset): void {
  const { proof, at } = preset;
  const { outside, secrets, examples = [] } = proof;

  it('accepts what the provider signs', async () => {
    const good = await preset.good();
    if ('decide' in outside) expect(await preset.decided(good)).toBe(true);
    expect(await preset.verdict(good, [secrets[0]])).toBe('verified');
  });

  if ('publishes' in outside || examples.length > 0) {
    it('accepts what the provider has published, and nothing else', async () => {
      expect(examples).not.toEqual([]);
      for (const { secret, request, at: signedAt = at } of examples) {
        const whole = { ...DEFAULTS, ...request };
        expect(await preset.verdict(whole, [secret], signedAt)).toBe('verified');
        const changed = preset.signsBody ? { ...whole, body: `${whole.body} ` } : whole;
        expect(await preset.verdict(changed, [preset.signsBody ? secret : `${secret}x`], signedAt)).toEqual(REFUSED);
      }
    });
  }

  if ('documents' in outside) {
    it('sends a secret, and the provider documents an exchange', () => {
      expect(preset.signsBody).toBe(false);
      expect([...examples, ...(proof.handshakes ?? [])]).not.toEqual([]);
    });
  }

  it('accepts the old secret while two are live', async () => {
    const [old, fresh] = secrets;
    expect(await preset.verdict(await preset.good(), [fresh, old])).toBe('verified');
  });
}

function refusalTests(preset: ProvedPreset): void {
  const { proof, provider, at } = preset;
  const [secret, other] = proof.secrets;

  it('refuses a body with one bit changed, wherever it is signed', async () => {
    const good = await preset.good();
    const bodies = proof.alteredBodies?.(good.body) ?? flipped(good.body);
    for (const body of bodies) expect([body, await preset.verdict({ ...good, body })]).toEqual([body, REFUSED]);
    const changed = { ...good, body: bodies[0] as string };
    if ('decide' in proof.outside) expect(await preset.decided(changed)).toBe(false);
  });

  for (const part of proof.signed) {
    it(`refuses a request with one bit of ${part} changed, and one without it`, async () => {
      for (const changed of alterations(await preset.good(), part)) {
        expect([changed, await preset.verdict(changed)]).toEqual([changed, REFUSED]);
      }
    });
  }

  it('refuses another secret, and the right one with one bit changed', async () => {
    const good = await preset.good();
    for (const wrong of [other, altered(secret, 12), altered(secret, secret.length >> 1)]) {
      // A public key with a bit changed is often no key.
      const verdict = await preset.verdict(good, [wrong]).catch(() => 'signature-invalid');
      expect([wrong, verdict]).toEqual([wrong, REFUSED]);
    }
  });

  const { toleranceSeconds: tolerance } = proof;
  it('has the tolerance of its proof', () => {
    const rule = 'timestamp' in provider.verification ? provider.verification.timestamp : undefined;
    expect(rule?.toleranceSeconds).toBe(tolerance);
  });

  if (tolerance !== undefined) {
    it(`refuses what is more than ${tolerance} s old or in the future`, async () => {
      const good = await preset.good();
      const after = (seconds: number): Promise<string> =>
        preset.verdict(good, proof.secrets, new Date(at.getTime() + seconds * 1_000));
      expect(await Promise.all([after(tolerance), after(-tolerance)])).toEqual(['verified', 'verified']);
      expect(await Promise.all([after(tolerance + 2), after(-tolerance - 2)])).toEqual([EXPIRED, EXPIRED]);
    });
  }
}

function mappingTests(preset: ProvedPreset): void {
  const { proof, provider, at } = preset;

  it.each(proof.samples.map((sample) => [sample.request.body.slice(0, 60), sample] as const))(
    'finds type, subject, id, time and payload in %s',
    async (_start, sample) => {
      const request = await preset.signed(sample);
      expect(await preset.verdict(request)).toBe('verified');
      const events = typeof sample.events === 'function' ? sample.events(request.body) : sample.events;
      const expected = events.map((event) => ({
        eventId: undefined,
        occurredAt: undefined,
        payload: request.body.trim(),
        ...event,
      }));
      expect(await eventsOf(provider, asReceived(request, at, provider.jsonField))).toEqual(expected);
    },
  );
}

function handshakeTests(preset: ProvedPreset): void {
  const { proof, provider, at } = preset;
  const { handshakes = [], verification, jsonField } = provider;
  const compiled = compileHandshakes(handshakes, verification.scheme);
  const planOf = (request: SentRequest) =>
    compiled
      .map((one) => ({ verified: one.verified, ...one.plan(asReceived(request, at, jsonField), proof.secrets[0]) }))
      .find((plan) => plan.answer !== undefined);

  it('has a sample of each handshake', () => {
    expect((proof.handshakes ?? []).map(({ name }) => name)).toEqual(handshakes.map(({ name }) => name));
  });

  if (handshakes.length > 0) {
    it('takes no event for a handshake', async () => {
      for (const sample of proof.samples) expect(planOf(await preset.signed(sample))).toBeUndefined();
    });
  }

  for (const sample of proof.handshakes ?? []) {
    it(`answers ${sample.name}`, async () => {
      const request = await preset.signed(sample);
      const { verified, answer } = planOf(request) ?? {};
      if (verified) expect(await preset.verdict(request)).toBe('verified');
      expect({ status: answer?.status, body: answer?.body ?? '' }).toEqual(sample.answer);
    });
  }
}
