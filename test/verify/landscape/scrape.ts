import { exchange } from '../load/exchange';

const TIMEOUT_MS = 1_000;

/** Reads the `streamforge_` metrics of a process, by series. Returns undefined if it does not respond. */
export async function scrape(url: string): Promise<Record<string, number> | undefined> {
  const { status, text, broken } = await exchange(`${url}/metrics`, {}, TIMEOUT_MS);
  if (status !== 200 || broken !== undefined) return undefined;
  const lines = text.split('\n').filter((line) => line.startsWith('streamforge_') && !line.includes('_bucket{'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
