export default async function globalTeardown(): Promise<void> {
  await ((globalThis as Record<string, unknown>).stopTestServers as () => Promise<void>)();
}
