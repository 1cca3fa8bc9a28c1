import type { ApiClient } from '../http/api-client';
import { readPages } from '../http/pages';
import { KINDS, type ResourceKind, type Resource, type Wanted } from './document';

/** An installation with more of one kind is not kept in a file. */
const MOST = 10_000;

/** Reads what there is: of one tenant, or of all that the operator sees. What has no uid is counted, and left out. */
export async function currentOf(
  client: ApiClient,
  tenant: string | undefined,
): Promise<{ current: Wanted; ids: Map<string, string>; nameless: number }> {
  const ids = new Map<string, string>();
  const current: Wanted = { tenants: [], sources: [], destinations: [] };
  let nameless = 0;
  for (const kind of KINDS) {
    for (const one of await listed(client, kind, tenant)) {
      if (kind === 'tenants') {
        if (tenant === undefined || one.id === tenant) current.tenants.push(one);
      } else if (typeof one.uid === 'string') {
        current[kind].push(one);
        ids.set(`${kind} ${String(one.tenantId)}/${one.uid}`, String(one.id));
      } else nameless += 1;
    }
  }
  return { current, ids, nameless };
}

async function listed(client: ApiClient, kind: ResourceKind, tenant: string | undefined): Promise<Resource[]> {
  const query: Record<string, string> = tenant === undefined || kind === 'tenants' ? {} : { tenantId: tenant };
  return (await readPages<ResourceKind, Resource>(client, `/v1/admin/${kind}`, kind, { query, limit: MOST }))[kind];
}
