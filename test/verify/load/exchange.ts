/** A response, possibly incomplete. */
export interface Exchange {
  /** Undefined if no response arrived. */
  status: number | undefined;
  headers: Record<string, string>;
  text: string;
  /** Why the response is incomplete. */
  broken: string | undefined;
}

/** Sends one request with a timeout, over a pool of keep-alive connections. */
export async function exchange(url: string, init: RequestInit, timeoutMs: number): Promise<Exchange> {
  const decoder = new TextDecoder();
  let status: number | undefined;
  let headers: Record<string, string> = {};
  let text = '';
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    status = response.status;
    headers = Object.fromEntries(response.headers);
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes as Uint8Array, { stream: true });
    return { status, headers, text, broken: undefined };
  } catch (error) {
    return { status, headers, text, broken: reasonOf(error) };
  }
}

/** @throws the error if it is not a broken connection */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'no answer in time';
  if (!cause) throw error;
  return cause.code ?? cause.message ?? 'the connection broke';
}
