import { randomBytes } from 'node:crypto';

/** A virtual host for one test file, so that test files share a server but no queue. */
export interface TestVhost {
  url: string;
  name: string;
  drop(): Promise<void>;
  /** Closes all connections to the virtual host on the server's side. Returns their number. */
  closeConnections(): Promise<number>;
}

async function manage(method: string, path: string, body?: unknown): Promise<unknown> {
  const url = new URL(process.env.TEST_RABBITMQ_MANAGEMENT_URL as string);
  const response = await fetch(`${url.origin}/api${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 || response.status === 201 ? undefined : response.json();
}

export async function createTestVhost(): Promise<TestVhost> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  const url = new URL(process.env.TEST_RABBITMQ_URL as string);
  await manage('PUT', `/vhosts/${name}`);
  await manage('PUT', `/permissions/${name}/${url.username}`, { configure: '.*', write: '.*', read: '.*' });
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: async () => void (await manage('DELETE', `/vhosts/${name}`)),
    closeConnections: async () => {
      const connections = (await manage('GET', `/vhosts/${name}/connections`)) as { name: string }[];
      for (const connection of connections)
        await manage('DELETE', `/connections/${encodeURIComponent(connection.name)}`);
      return connections.length;
    },
  };
}
