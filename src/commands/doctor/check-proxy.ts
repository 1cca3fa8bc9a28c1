import { reachProxy } from '../../destinations/http/reach-proxy';
import { ok, problem, type Finding } from '../../db/condition/finding';

const PROXY_WITHIN_MS = 3_000;

/** Checks that the proxy of the destinations accepts connections. Whether it lets them through, it decides for each. */
export async function checkProxy(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [];
  try {
    (await reachProxy(new URL(url), PROXY_WITHIN_MS)).destroy();
    return [ok('proxy', 'it accepts connections.')];
  } catch (error) {
    const why = (error as Error).message;
    return [
      problem(
        'proxy',
        `${why}: start it, correct DESTINATIONS_PROXY_URL, or let this machine and the workers reach it.`,
      ),
    ];
  }
}
