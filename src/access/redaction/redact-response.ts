import { REDACTED } from './redacted';

/** Members of responses to operators whose texts may quote the content of an event. */
const TEXTS = new Set(['errorMessage', 'lastError', 'responseExcerpt', 'message', 'reason', 'signedText']);
/** Members that are the content itself, or a part of it. They become null. */
const CONTENTS = new Set(['payload', 'diff', 'rawText', 'rawBase64', 'bodyText', 'bodyBase64']);
/** Members of a request that its sender fills in. */
const OF_REQUEST: Record<string, unknown> = { path: '', query: {}, headers: {} };

/** Whether texts about the events of a tenant are hidden. Undefined: nobody knows whose the object is. */
export type IsHidden = (tenantId: string | undefined) => boolean;

/**
 * Returns a response without what may quote the events of tenants that redact. Whose an object is, its `tenantId` says,
 * or that of the object around it.
 */
export function redactResponse(body: unknown, isHidden: IsHidden, tenantId?: string): unknown {
  if (Array.isArray(body)) return body.map((item: unknown) => redactResponse(item, isHidden, tenantId));
  if (!isPlainObject(body)) return body;
  const own = typeof body.tenantId === 'string' ? body.tenantId : tenantId;
  const isRequest = 'method' in body && 'headers' in body;
  const members = Object.entries(body).map(([name, value]): [string, unknown] => {
    if (isHidden(own) && value !== null) {
      if (TEXTS.has(name) && typeof value === 'string') return [name, REDACTED];
      if (CONTENTS.has(name)) return [name, null];
      if (isRequest && name in OF_REQUEST) return [name, OF_REQUEST[name]];
    }
    return [name, redactResponse(value, isHidden, own)];
  });
  return Object.fromEntries(members);
}

/** Others, such as a number that is kept as text, are as they are. In data, `toJSON` is an ordinary name. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Object.isFrozen(value) &&
    !('toJSON' in value && typeof value.toJSON === 'function')
  );
}
