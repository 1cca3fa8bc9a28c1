import { randomBytes } from 'node:crypto';

/** A virtual host for one test file, so that test files share a server but no queue. */
export interface TestVhost {
  url: string;
  name: string;
  drop(): Promise<void>;
  /** Creates a user of the virtual host. Returns a URL with its credentials. */
  addUser(user: string, password: string): Promise<string>;
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
  const users: string[] = [];
  return {
    url: url.href,
    name,
    drop: async () => {
      await manage('DELETE', `/vhosts/${name}`);
      for (const user of users) await manage('DELETE', `/users/${encodeURIComponent(user)}`);
    },
    addUser: async (user, password) => {
      users.push(user);
      await manage('PUT', `/users/${encodeURIComponent(user)}`, { password, tags: '' });
      const rights = { configure: '.*', write: '.*', read: '.*' };
      await manage('PUT', `/permissions/${name}/${encodeURIComponent(user)}`, rights);
      const own = new URL(url);
      own.username = encodeURIComponent(user);
      own.password = encodeURIComponent(password);
      return own.href;
    },
    closeConnections: async () => {
      const connections = (await manage('GET', `/vhosts/${name}/connections`)) as { name: string }[];
      for (const connection of connections)
        await manage('DELETE', `/connections/${encodeURIComponent(connection.name)}`);
      return connections.length;
    },
  };
}
