import type { Landscape } from '../../landscape/landscape';
import { ofTheRun } from '../../run/inconclusive';
import type { Return } from './going-back';

/** An asynchronous standby that lacks everything after this takes over. @throws Inconclusive */
export async function prepareFailover(landscape: Landscape): Promise<Return> {
  const standby = await landscape.addStandby();
  await ofTheRun('the standby does not follow', () => standby.detach());
  return { goBack: () => ofTheRun('the standby does not take over', () => standby.takeOver()) };
}
