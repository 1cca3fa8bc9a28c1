import { RequestSamples } from '../../../src/sources/inspector/request-samples';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource, type SourceFields } from '../../support/sources';

const SECRET = 'this-is-the-secret-of-the-source';
const MAPPING = { eventType: '/type', subject: '/id' };

describe('what is shown and kept of a request', () => {
  const running = useApp();
  const given = (fields: SourceFields): Promise<GivenSource> =>
    givenSource(running.app, running.pool, { mapping: MAPPING, secrets: [SECRET], ...fields });
  /** Returns the samples and the rejected requests of a source, without their bodies as they are kept. */
  const kept = async ({ row }: GivenSource): Promise<{ text: string; kept: unknown[] }> => {
    await running.app.get(RequestSamples).write();
    const { rows } = await running.pool.query<{ text: string }>(
      `select sample::text as text from source_samples where source_id = $1
        union all select request::text from rejections where source_id = $1`,
      [row.id],
    );
    const texts = rows.map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(0);
    return { text: texts.join('\n'), kept: texts.map((text) => JSON.parse(text) as unknown) };
  };

  it('has no token in a header or in the query', async () => {
    for (const place of [{ header: 'X-Key' }, { query: 'key' }]) {
      const source = await given({ name: JSON.stringify(place), verification: { scheme: 'token', ...place } });
      const { status } = await running.http
        .post(`${source.path}?key=${SECRET}&page=7`)
        .set({ 'X-Key': SECRET, Cookie: 'session=1', Authorization: `Bearer ${SECRET}` })
        .send({ type: 'x' });
      expect(status).toBe(200); // there is no subject, so it is a rejection
      const { text, kept: all } = await kept(source);
      expect(text).not.toContain(SECRET);
      const request = {
        query: { key: '***', page: '7' },
        headers: { 'x-key': '***', cookie: '***', authorization: 'Bearer ***' },
      };
      expect(all).toMatchObject([{ request }, request]);
    }
  });

  it('has no token in the body', async () => {
    const verification = { scheme: 'token', each: '/value', value: '{body:/state}' } as const;
    const source = await given({ verification, mapping: { ...MAPPING, records: '/value' } });
    const body = { value: [{ type: 'x', id: '1', state: SECRET }] };
    expect((await running.http.post(source.path).send(body)).status).toBe(200);
    expect((await running.http.post(source.path).type('json').send('{"value":[')).status).toBe(401);
    const { text, kept: all } = await kept(source);
    expect(text).not.toContain(SECRET);
    expect(all).toMatchObject([{ bodyText: '{"value":[{"type":"x","id":"1","state":"***"}]}' }, { bodyText: '***' }]);
  });

  it('has no token of the URL in what should have been signed', async () => {
    const source = await given({
      verification: { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', header: 'X-Sig', signed: '{url}{body}' },
    });
    expect((await running.http.post(source.path).set('X-Sig', 'ab').send({ type: 'x' })).status).toBe(401);
    const { text, kept: all } = await kept(source);
    expect(text).not.toContain(source.token);
    const signedText = expect.stringMatching(/\/in\/…\{"type":"x"\}$/) as string;
    expect(all).toMatchObject([{ facts: { signedText }, request: { headers: { 'x-sig': 'ab' } } }]);
  });
});
