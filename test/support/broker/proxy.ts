import { atTheEnd } from './closing';
import { TcpProxy } from './tcp-proxy';

/** A proxy that is gone at the end of the test. */
export async function openProxy(url: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.to(url);
  atTheEnd(() => proxy.cut());
  return proxy;
}
