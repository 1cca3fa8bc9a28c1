const theSharedOne = (): string => process.env.TEST_RABBITMQ_MANAGEMENT_URL as string;

/** Calls the management API of RabbitMQ, as an operator does. */
async function manage(method: string, path: string, management = theSharedOne()): Promise<Response> {
  const url = new URL(management);
  return fetch(`${url.origin}/api${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}` },
  });
}

/** Deletes all messages that wait in the queue. */
export async function purgeQueue(vhost: string, queue: string, management?: string): Promise<void> {
  const { ok, status } = await manage('DELETE', `/queues/${vhost}/${queue}/contents`, management);
  if (!ok) throw new Error(`purging ${queue} was answered ${status}`);
}

/** Counts the messages in the queue and at its consumers, some seconds late; undefined when there is no such queue. */
export async function messagesIn(vhost: string, queue: string, management?: string): Promise<number | undefined> {
  const response = await manage('GET', `/queues/${vhost}/${queue}`, management);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`asking for ${queue} was answered ${response.status}`);
  return ((await response.json()) as { messages?: number }).messages ?? 0;
}

/** Lists the open connections. New ones appear and lost ones disappear some seconds late. */
export async function listConnections(vhost: string, management?: string): Promise<string[]> {
  const response = await manage('GET', `/vhosts/${vhost}/connections`, management);
  if (!response.ok) throw new Error(`listing connections was answered ${response.status}`);
  return ((await response.json()) as { name: string }[]).map(({ name }) => name);
}

/** Closes all connections on the server's side. Returns how many still existed. */
export async function closeConnections(vhost: string, management?: string): Promise<number> {
  const names = await listConnections(vhost, management);
  const paths = names.map((name) => `/connections/${encodeURIComponent(name)}`);
  const answers = await Promise.all(paths.map((path) => manage('DELETE', path, management)));
  return answers.filter(({ ok }) => ok).length;
}
