/** As much of an answer as came. */
export interface Exchange {
  /** Undefined when there was no answer at all. */
  status: number | undefined;
  headers: Record<string, string>;
  text: string;
  /** Why it is not complete. */
  broken: string | undefined;
}

/** One request of a client that waits no longer than this; connections are kept and break with what they lead to. */
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

/** @throws what is a mistake of ours and no broken connection */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return 'no answer in time';
  if (!cause) throw error;
  return cause.code ?? cause.message ?? 'the connection broke';
}
