import { ask } from '../../support/access/access-admin';
import { createdSource, CUSTOM } from '../../support/admin-sources';
import { useApp } from '../../support/fixtures/app';
import { expectProblem, type ProblemAnswer } from '../../support/e2e-http';
import { SOURCE_LIMITS } from '../../../src/sources/directory/source';

const { verification: HMAC, mapping: MAPPING } = CUSTOM;
const hmac = (fields: object): object => ({ verification: { ...HMAC, ...fields } });

describe('a source is refused', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const refused = async (method: string, path: string, body: object): Promise<ProblemAnswer> => {
    const answer = await ask(api.url, method, path, { body });
    return expectProblem({ ...answer, text: answer.text.replaceAll('127.0.0.1', '') }, 400, 'invalid-request');
  };

  it.each<[pointer: string, message: RegExp, fields: object]>([
    ['/provider', /did you mean stripe/, { provider: 'strip' }],
    ['/provider', /source-providers/, { provider: 'no such provider at all' }],
    ['/name', /control/, { name: 'a\u0007b' }],
    ['/name', /512/, { name: 'x'.repeat(513) }],
    ['/uid', /letters/, { uid: 'a/b' }],
    ['/verification', /required/, { verification: null }],
    ['/verification', /required/, { verification: undefined }],
    ['/verification/scheme', /hmac, token/, { verification: { scheme: 'hmak' } }],
    ['/verification/scheme', /required/, { verification: {} }],
    ['/verification/heather', /did you mean header/, hmac({ heather: 'x' })],
    ['/verification/header', /name of a header/, hmac({ header: 'x y' })],
    ['/verification', /exactly one of header, signature/, hmac({ signature: '{body:/s}' })],
    ['/verification/signed', /required/, hmac({ signed: undefined })],
    ['/verification/signed', /\{boddy\} is not a part/, hmac({ signed: '{boddy}' })],
    ['/verification/signed', /part of the body/, hmac({ signed: '{header:x-time}' })],
    ['/verification/timestamp', /contain the time/, hmac({ timestamp: { header: 'x-time', toleranceSeconds: 5 } })],
    ['/verification/algorithm', /sha1, sha256, sha512/, hmac({ algorithm: 'md5' })],
    ['/verification/allow/0', /CIDR/, hmac({ allow: ['10/8'] })],
    ['/verification/each', /JSON Pointer/, hmac({ each: 'events' })],
    ['/mapping/records', /verification\.each/, hmac({ each: '/items' })],
    ['/mapping/records', /verification\.each/, { ...hmac({ each: '/a' }), mapping: { ...MAPPING, records: '/b' } }],
    ['/verification/timestamp/toleranceSeconds', /required/, hmac({ timestamp: { header: 'x-time' } })],
    ['/verification/timestamp', /exactly one of header, value/, hmac({ timestamp: { toleranceSeconds: 5 } })],
    ['/verification/timestamp/unit', /s, ms/, hmac({ timestamp: { header: 'x', unit: 'h', toleranceSeconds: 5 } })],
    ['/verification/prefix', /U\+0000/, hmac({ prefix: 'a\u0000' })],
    ['/verification', /exactly one of header, query, value/, { verification: { scheme: 'token' } }],
    ['/verification/header', /should not exist/, { verification: { scheme: 'basic', header: 'x' } }],
    ['/allowUnverified', /must be true/, { verification: { scheme: 'none' } }],
    ['/secrets', /2/, { secrets: ['a', 'b', 'c'] }],
    ['/secrets/1', /hex/, { ...hmac({ secretEncoding: 'hex' }), secrets: ['00ff', 'nothex'] }],
    ['/secrets/0', /user:password/, { verification: { scheme: 'basic' }, secrets: ['password'] }],
    [
      '/secrets/0',
      /public key/,
      {
        verification: { scheme: 'ed25519', encoding: 'hex', header: 'x-signature', signed: '{body}' },
        secrets: ['-----BEGIN PUBLIC KEY-----'],
      },
    ],
    ['/mapping/eventType', /required/, { mapping: { subject: '/id' } }],
    ['/mapping/subject', /required/, { mapping: { eventType: '/type' } }],
    ['/mapping/subject', /JSONata/, { mapping: { ...MAPPING, subject: 'a[' } }],
    ['/mapping/subject', /~/, { mapping: { ...MAPPING, subject: '/a~2' } }],
    ['/mapping/subject/1', /~/, { mapping: { ...MAPPING, subject: ['/id', '/a~2'] } }],
    ['/mapping/subject', /alternatives/, { mapping: { ...MAPPING, subject: [] } }],
    ['/mapping/subject', /JSON Pointer/, { mapping: { ...MAPPING, subject: 5 } }],
    ['/mapping/subject/template', /not a part/, { mapping: { ...MAPPING, subject: { template: '{nothing}' } } }],
    ['/mapping/subject/templat', /did you mean template/, { mapping: { ...MAPPING, subject: { templat: 'x' } } }],
    ['/mapping/records', /JSON Pointer or JSONata/, { mapping: { ...MAPPING, records: ['/a'] } }],
    ['/mapping/eventtype', /did you mean eventType/, { mapping: { ...MAPPING, eventtype: '/t' } }],
    ['/mapping/payload', /4096/, { mapping: { ...MAPPING, payload: `/${'x'.repeat(4_096)}` } }],
    [
      '/mapping',
      /bytes/,
      { mapping: { ...MAPPING, payload: Array.from({ length: 10 }, () => `/${'x'.repeat(4_000)}`) } },
    ],
    ['/answers/accepted/status', /299/, { answers: { accepted: { status: 404 } } }],
    ['/answers/duplicate/status', /required/, { answers: { duplicate: {} } }],
    ['/answers/rejected/status', /599/, { answers: { rejected: { status: 600 } } }],
    ['/answers/accepted/body', /8192 bytes/, { answers: { accepted: { status: 200, body: 'ä'.repeat(4_097) } } }],
    [
      '/answers/accepted/contentType',
      /media type/,
      { answers: { accepted: { status: 200, contentType: 'a/b\r\nx: y' } } },
    ],
    ['/answers/acepted', /did you mean accepted/, { answers: { acepted: { status: 200 } } }],
    ['/accept/payload/amount/$gtt', /\$gt/, { accept: { payload: { amount: { $gtt: 5 } } } }],
    ['/handshake', /must be one of/, { handshake: 'toString' }],
    ['/expectEverySeconds', /60/, { expectEverySeconds: 59 }],
    ['/activeHours', /Europe\/Berlin/, { activeHours: { timeZone: 'Berlin' } }],
    ['/activeHours', /mon, tue/, { activeHours: { timeZone: 'UTC', weekdays: ['monday'] } }],
    ['/activeHours', /24:00/, { activeHours: { timeZone: 'UTC', to: '25:00' } }],
    ['/learnSilence', /boolean/, { learnSilence: 'yes' }],
    ['/status', /active/, { status: 'disabled' }],
  ])('at %s with %s', async (pointer, message, fields) => {
    const { errors = [] } = await refused('POST', 'sources', { tenantId: 'demo', ...CUSTOM, ...fields });
    const its = errors.filter((error) => error.pointer === pointer).map((error) => error.message);
    expect([errors, its.some((one) => message.test(one))]).toEqual([errors, true]);
  });

  it('by a change of its rules that its secret does not fit, and stays as it was', async () => {
    const { id } = await createdSource(api.url, { secrets: ['not hex'] });
    const { errors } = await refused('PATCH', `sources/${id}`, hmac({ secretEncoding: 'hex' }));
    expect(errors).toMatchObject([{ pointer: '/verification', message: expect.stringContaining('hex') as string }]);
    expect((await refused('PATCH', `sources/${id}`, { verification: null })).errors).toMatchObject([
      { pointer: '/verification' },
    ]);
    const { body } = await ask<{ verification: object }>(api.url, 'GET', `sources/${id}`);
    expect(body.verification).toEqual(HMAC);
    expect(
      (await ask(api.url, 'PATCH', `sources/${id}`, { body: { ...hmac({ secretEncoding: 'hex' }), secrets: [] } }))
        .status,
    ).toBe(200);
    const rotated = await refused('POST', `sources/${id}/rotate-secret`, { secret: 'not hex' });
    expect(rotated.errors).toMatchObject([{ pointer: '/secret' }]);
  });

  it('without an error of PostgreSQL, and without quoting a secret', async () => {
    const secret = 'this is the secret';
    const body = { tenantId: 'demo', ...CUSTOM, ...hmac({ secretEncoding: 'hex' }), secrets: [secret] };
    const answer = await ask(api.url, 'POST', 'sources', { body });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(secret);
  });

  it('not if it is verified by nothing on purpose', async () => {
    await createdSource(api.url, { verification: { scheme: 'none' }, allowUnverified: true });
    await createdSource(api.url, { verification: { scheme: 'none', allow: ['10.0.0.0/8'] }, allowUnverified: true });
  });

  it('when the tenant has the maximum', async () => {
    await api.pool.query(
      `insert into sources (id, tenant_id, name, provider, mapping, answers, allow_unverified, status, secrets, token_digest, token_hint)
       select gen_random_uuid(), 'full', 'x', 'stripe', '{}', '{}', false, 'active', '{}', sha256(n::text::bytea), 'x'
         from generate_series(1, $1::int) n`,
      [SOURCE_LIMITS.ofTenant],
    );
    const body = { tenantId: 'full', ...CUSTOM };
    expectProblem(await ask(api.url, 'POST', 'sources', { body }), 409, 'too-many-sources');
  });
});
