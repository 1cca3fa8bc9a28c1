import type { Schema } from '../../../api/endpoints';

type Sample = Schema<'RequestSampleResponse'>;
type TestRequest = Schema<'SourceTestRequest'>;

/** A request as a person writes it down. */
export interface TestDraft {
  method: NonNullable<TestRequest['method']>;
  path: string;
  /** As in a URL, without the question mark. */
  query: string;
  /** One in a line. */
  headers: string;
  body: string;
  /** In place of `body`, for bytes that are no text. */
  bodyBase64: string | undefined;
  address: string | undefined;
  /** When it came, so that a signature with a time still counts. */
  receivedAt: string | undefined;
}

export const EMPTY_DRAFT: TestDraft = {
  ...{ method: 'POST', path: '', query: '', headers: 'content-type: application/json', body: '{}' },
  ...{ bodyBase64: undefined, address: undefined, receivedAt: undefined },
};

/** A request that came, to try it again. */
export function draftOf({ request, bodyText, bodyBase64 }: Sample): TestDraft {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query)) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
  return {
    method: request.method as TestDraft['method'],
    path: request.path,
    query: query.toString(),
    headers: headers.join('\n'),
    body: bodyText ?? '',
    bodyBase64: bodyBase64 ?? undefined,
    address: request.address,
    receivedAt: request.receivedAt,
  };
}

/** Whether all of the body is there: of a request, the first 2 KB are kept. */
export function isWhole({ bodyText, bodyBase64, bodyBytes }: Sample): boolean {
  if (bodyText !== null) return new TextEncoder().encode(bodyText).length === bodyBytes;
  return bodyBase64 !== null && atob(bodyBase64).length === bodyBytes;
}

/** The body of the test. Header lines without a colon are left out. */
export function testRequestOf(draft: TestDraft): TestRequest {
  const { method, path, body, bodyBase64, address, receivedAt } = draft;
  return {
    ...{ method, path, query: groupedBy(new URLSearchParams(draft.query)), headers: headersIn(draft.headers) },
    ...(bodyBase64 === undefined ? { body } : { bodyBase64 }),
    ...(address === undefined ? {} : { address }),
    ...(receivedAt === undefined ? {} : { receivedAt }),
  };
}

function headersIn(text: string): Record<string, string> {
  const lines = text.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
  });
  return Object.fromEntries(lines);
}

function groupedBy(query: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(query.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}
