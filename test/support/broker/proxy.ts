import { atTheEnd } from './closing';
import { TcpProxy } from './tcp-proxy';

/** Opens a proxy that is closed at the end of the test. */
export async function openProxy(url: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.to(url);
  atTheEnd(() => proxy.cut());
  return proxy;
}
