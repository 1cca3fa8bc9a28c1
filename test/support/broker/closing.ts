const ends: (() => unknown)[] = [];

/** Registers work for the end of the test. It runs latest first, also after a failure, so that Jest can exit. */
export function atTheEnd(end: () => unknown): void {
  ends.push(end);
}

export async function closeAll(): Promise<void> {
  for (let end = ends.pop(); end; end = ends.pop()) await end();
}
