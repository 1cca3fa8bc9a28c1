const ends: (() => unknown)[] = [];

/** Runs at the end of the test, latest first, also when it fails: nothing may keep Jest from ending. */
export function atTheEnd(end: () => unknown): void {
  ends.push(end);
}

export async function closeAll(): Promise<void> {
  for (let end = ends.pop(); end; end = ends.pop()) await end();
}
