/** The option `credentials` of amqplib. */
interface AmqpCredentials {
  mechanism: string;
  response: () => Buffer;
}

/**
 * Returns the credentials of a URL as options of amqplib, which decodes those of a URL as Latin-1, while RabbitMQ expects
 * UTF-8. Without a user, amqplib uses guest.
 */
export function credentialsOf(url: string): { credentials?: AmqpCredentials } {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return {};
  const plain = `\0${decodeURIComponent(username)}\0${decodeURIComponent(password)}`;
  return { credentials: { mechanism: 'PLAIN', response: () => Buffer.from(plain) } };
}
