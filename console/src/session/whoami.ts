import { exchange } from '../api/exchange';
import type { Schema } from '../api/endpoints';
import type { Caller } from './caller';

/** Returns whose token this is. @throws ApiProblem, ConnectionLost, or Error when it is none of an operator */
export async function whoami(token: string): Promise<Caller> {
  const text = await exchange({ method: 'GET', url: '/v1/whoami' }, token);
  const { kind, name, role, tenantIds } = JSON.parse(text) as Schema<'WhoamiResponse'>;
  if (kind !== 'operator' || role === null) {
    throw new Error('This is not the token of an operator. The console needs one, which begins with sfa_.');
  }
  return { name: name ?? 'operator', role, seesAll: tenantIds === null };
}
