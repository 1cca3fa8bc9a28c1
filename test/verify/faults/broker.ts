import { randomUUID } from 'node:crypto';
import { connect, type Channel, type GetMessage } from 'amqplib';
import { bundleBody, entriesOfBundle } from '../../../src/broker/bundle-form';
import { BUNDLES } from '../../../src/broker/rabbit-names';
import { SeededRandom } from '../load/random';
import type { Journal } from '../run/journal';

const QUEUES = ['events.main', 'events.retry', BUNDLES];
const MOST = 40;
const EXCHANGE = 'events';
/** The AMQP header that holds all headers of a message as JSON. */
const HEADER = 'streamforge';

/** Gets messages and requeues them in reverse order. They are delivered again, marked as redelivered. */
export function reorderMessages(rabbitUrl: string): Promise<void> {
  return withMessages(rabbitUrl, async (channel, messages) => {
    for (const message of messages.reverse()) channel.nack(message, false, true);
  });
}

/** Publishes messages a second time, as a publisher does after a lost confirm. */
export function copyMessages(rabbitUrl: string): Promise<void> {
  return withMessages(rabbitUrl, async (channel, messages) => {
    for (const { content, properties, fields } of messages) {
      const { headers, messageId, contentType } = properties as {
        headers: object;
        messageId: string;
        contentType: string;
      };
      channel.publish(EXCHANGE, fields.routingKey, content, { headers, messageId, contentType, persistent: true });
    }
    for (const message of messages) channel.nack(message, false, true);
  });
}

export interface Forgeable {
  /** Its routing key. */
  queue: string;
  id: string;
  /** The packed headers: with its signature, if the message has one. */
  headers: string;
  body: Buffer;
}

interface Forgery {
  forge: (message: Forgeable, random: SeededRandom) => Forgeable;
  /** Workers may be unable to read it, and park it then. Every other forgery is dropped, or used as PostgreSQL knows it. */
  isUnreadable?: true;
}

type Fields = Record<string, unknown>;

interface Entry {
  id: string;
  headers: Fields;
  body: Buffer;
}

const headersOf = ({ headers }: Forgeable): Fields => JSON.parse(headers) as Fields;

/** Changes the entry of a message, or the first one of a bundle. */
function withEntry(message: Forgeable, change: (entry: Entry) => Entry): Forgeable {
  const headers = headersOf(message);
  const [first, ...others] = message.queue === BUNDLES ? (entriesOfBundle(message.body, headers.entries) ?? []) : [];
  if (first) return { ...message, body: bundleBody([change(first), ...others] as Parameters<typeof bundleBody>[0]) };
  const { id, body, headers: changed } = change({ id: message.id, headers, body: message.body });
  return { ...message, id, headers: JSON.stringify(changed), body };
}

const changed =
  (change: Fields) =>
  (message: Forgeable): Forgeable =>
    withEntry(message, (entry) => ({ ...entry, headers: { ...entry.headers, ...change } }));
const withBody = (message: Forgeable): Forgeable =>
  withEntry(message, (entry) => ({ ...entry, body: Buffer.from('{"payload":{"forged":true}}') }));
const ofNobody = (message: Forgeable): Forgeable => withEntry(message, (entry) => ({ ...entry, id: randomUUID() }));
const inOtherQueue = (message: Forgeable): Forgeable => ({
  ...message,
  queue: QUEUES.find((queue) => queue !== message.queue) ?? message.queue,
});
/** A bundle without a signature says how many entries it has; a message needs no form. */
const unsigned = (message: Forgeable): Forgeable => {
  const { form, entries, mac: _mac, ...others } = headersOf(message);
  const kept = message.queue === BUNDLES ? { form, entries } : {};
  return { ...message, headers: JSON.stringify({ ...others, ...kept }) };
};

/** Another byte at a place that the seed decides. */
function withAnotherByte(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.between(0, bytes.length - 1);
  const byte = bytes[at] === 0x31 ? 0x32 : 0x31;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + 1)]);
}

export const FORGERIES: readonly Forgery[] = [
  ...[{ 'tenant-id': 'attacker' }, { 'size-bytes': 1 }, { 'dispatch-no': 7 }, { 'dispatch-no': 1.5 }].map((change) => ({
    forge: changed(change),
  })),
  { forge: changed({ generation: 1e18 }) },
  { forge: withBody },
  { forge: ofNobody },
  { forge: inOtherQueue },
  { forge: (message) => unsigned(ofNobody(message)) },
  { forge: (message) => unsigned(withBody(message)) },
  { forge: (message) => unsigned(changed({ 'tenant-id': 'attacker' })(message)) },
  { forge: (message) => unsigned(changed({ 'dispatch-no': 9 })(message)) },
  { forge: (message) => unsigned(changed({ generation: 9 })(message)) },
  ...[{ 'dispatch-no': 1.5 }, { generation: 1e18 }, { 'received-at': 'infinity' }, { 'size-bytes': -1 }].map(
    (change) => ({ forge: (message: Forgeable) => unsigned(changed(change)(message)), isUnreadable: true as const }),
  ),
  { forge: (message, random) => ({ ...message, body: withAnotherByte(message.body, random) }) },
  {
    forge: (message, random) => ({
      ...message,
      body: message.body.subarray(0, random.between(0, message.body.length - 1)),
    }),
  },
  {
    forge: (message, random) => ({
      ...message,
      headers: withAnotherByte(Buffer.from(message.headers), random).toString(),
    }),
    isUnreadable: true,
  },
  {
    forge: (message, random) => ({
      ...message,
      headers: message.headers.slice(0, random.between(0, message.headers.length - 1)),
    }),
    isUnreadable: true,
  },
];

/** Publishes forgeries of waiting messages before the true ones, as somebody who may write to RabbitMQ can. */
export function forgeMessages(rabbitUrl: string, seed: number, journal: Journal): Promise<void> {
  const random = new SeededRandom(seed);
  return withMessages(rabbitUrl, (channel, messages) => {
    for (const { content: body, properties, fields } of messages) {
      const headers = String((properties.headers as Fields)[HEADER]);
      if (!isJson(headers)) continue; // an earlier forgery
      const { forge, isUnreadable } = random.pick(FORGERIES);
      const forged = forge({ queue: fields.routingKey, id: String(properties.messageId), headers, body }, random);
      if (isUnreadable) journal.append({ kind: 'forged', ids: [forged.id] });
      channel.publish(EXCHANGE, forged.queue, forged.body, {
        headers: { [HEADER]: forged.headers },
        messageId: forged.id,
        persistent: true,
      });
    }
    for (const message of messages) channel.nack(message, false, true);
    return Promise.resolve();
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Does nothing while RabbitMQ is down. If it goes down in between, it requeues the messages itself. */
async function withMessages(
  rabbitUrl: string,
  work: (channel: Channel, messages: GetMessage[]) => Promise<void>,
): Promise<void> {
  const connection = await connect(rabbitUrl, { timeout: 2_000 }).catch(() => undefined);
  if (!connection) return;
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    for (const queue of QUEUES) {
      const messages: GetMessage[] = [];
      for (let message; messages.length < MOST && (message = await channel.get(queue));) messages.push(message);
      await work(channel, messages);
    }
    await channel.close();
  } catch (error) {
    const text = error instanceof Error ? error.message : JSON.stringify(error); // amqplib also throws frames
    if (!/clos|ended|NOT_FOUND|ECONN/i.test(text)) throw new Error(text, { cause: error });
  } finally {
    await connection.close().catch(() => undefined);
  }
}
