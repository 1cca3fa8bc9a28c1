import { CliError, EXIT } from '../cli-error';
import type { ApiClient } from './api-client';
import { readPages } from './pages';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** An installation with more of them is searched no further. */
const MOST = 10_000;

/** Returns the id of what a user names by its id or its uid. @throws CliError when there is none, or several tenants have it */
export async function idOf(
  client: ApiClient,
  resource: 'sources' | 'destinations',
  reference: string,
  tenant: string | undefined,
): Promise<string> {
  if (UUID.test(reference)) return reference;
  const { [resource]: all } = await readPages<typeof resource, { id: string; uid: string | null; tenantId: string }>(
    client,
    `/v1/admin/${resource}`,
    resource,
    { query: tenant === undefined ? {} : { tenantId: tenant }, limit: MOST },
  );
  const found = all.filter(({ uid }) => uid === reference);
  if (found.length > 1) {
    throw new CliError(`Several tenants have ${resource} with the uid ${reference}. Say --tenant.`, EXIT.refused);
  }
  if (found[0] === undefined)
    throw new CliError(`No ${resource.slice(0, -1)} has the id or uid ${reference}.`, EXIT.notFound);
  return found[0].id;
}
