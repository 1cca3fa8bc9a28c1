import { parseSettings } from '../../../src/config/parse-settings';
import { shutdownPhases } from '../../../src/runtime/shutdown-phases';

const phasesOf = (env: Record<string, string>) =>
  shutdownPhases(parseSettings({ RABBITMQ_URL: 'amqp://127.0.0.1', ...env }));

describe('the phases of a shutdown', () => {
  it('leave time after each of them', () => {
    const { drainMs, finishMs, closeMs } = phasesOf({});
    expect([drainMs, finishMs, closeMs]).toEqual([5_000, 10_000, 15_000]);
    expect(drainMs + closeMs).toBeLessThan(25_000);
  });

  it('have no drain where nobody sends requests', () => {
    expect(phasesOf({ APP_ROLE: 'worker' })).toEqual({ drainMs: 0, finishMs: 12_500, closeMs: 18_750 });
  });
});
