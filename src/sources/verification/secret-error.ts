/** A secret cannot be used with the scheme of its source. The message is for the operator and does not quote it. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}
