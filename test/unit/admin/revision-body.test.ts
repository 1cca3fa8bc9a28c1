import { readRevisionBody } from '../../../src/admin/revisions/revision-body';

const read = (text: string) => readRevisionBody(Buffer.from(text));

describe('the body of a request for a revision', () => {
  it('keeps the payload as it was written, whatever its names', async () => {
    const payloadJson = '{ "n": 12345678901234567890, "p": 10.10, "__proto__": {"constructor": null} }';
    const { content, options } = await read(`\ufeff { "payload" :  ${payloadJson} , "note": "why", "retry": true }`);
    expect(content).toEqual({ payloadJson });
    expect(options).toEqual({ note: 'why', retry: true, dryRun: false });
  });

  it('takes a patch, with its values as they were written', async () => {
    const { content } = await read('{"patch":[{"op":"add","path":"/a","value":10.10}],"dryRun":true}');
    expect(content).toMatchObject({ patch: [{ op: 'add', value: '10.10' }] });
  });

  it.each([
    ['no body', '', 'malformed-body', undefined],
    ['no JSON', '{"payload":1', 'malformed-body', undefined],
    ['no object', '[]', 'invalid-request', ''],
    ['neither payload nor patch', '{"note":"x"}', 'invalid-request', '/payload'],
    ['both', '{"payload":1,"patch":[]}', 'invalid-request', '/patch'],
    ['two payloads', '{"payload":1,"payload":2}', 'invalid-request', '/payload'],
    ['another field', '{"payload":1,"retries":true}', 'invalid-request', '/retries'],
    ['retry as a text', '{"payload":1,"retry":"true"}', 'invalid-request', '/retry'],
    ['an empty note', '{"payload":1,"note":""}', 'invalid-request', '/note'],
    ['no patch', '{"patch":{"op":"remove","path":"/a"}}', 'invalid-request', '/patch'],
    ['an unknown operation', '{"patch":[{"op":"drop","path":"/a"}]}', 'invalid-request', '/patch/0/op'],
    ['more than 64 levels', `{"payload":${'['.repeat(65)}${']'.repeat(65)}}`, 'invalid-request', ''],
  ])('is refused with %s', async (_what, text, code, pointer) => {
    const errors = pointer === undefined ? {} : { extras: { errors: [{ pointer }] } };
    await expect(read(text)).rejects.toMatchObject({ code, ...errors });
  });
});
