import { refusedRevision, type RevisionStanding } from '../../../src/admin/revisions/decide-revision';
import { MAX_REVISIONS } from '../../../src/revisions/revision';

const DEAD_LETTER: RevisionStanding = {
  state: 'DLQ',
  erased: false,
  revision: null,
  handlersDone: false,
  awaitsReplay: false,
  hasFailedDelivery: false,
  earlierBuildRuns: false,
};
const FAILED_DELIVERY: RevisionStanding = { ...DEAD_LETTER, state: null, handlersDone: true, hasFailedDelivery: true };

describe('an event can be revised', () => {
  it.each([
    ['if its handlers have given up', DEAD_LETTER],
    ['once more', { ...DEAD_LETTER, revision: MAX_REVISIONS - 1 }],
    ['if a delivery has failed', FAILED_DELIVERY],
    ['if a delivery has failed after a retry of the handlers', { ...FAILED_DELIVERY, state: 'COMPLETED' }],
    [
      'in the DLQ of its second generation, whatever the deliveries of the first',
      { ...DEAD_LETTER, hasFailedDelivery: true },
    ],
  ])('%s', (_when, standing) => {
    expect(refusedRevision(standing)).toBeUndefined();
  });

  it.each([
    ['while it was never tried', { ...DEAD_LETTER, state: null }, 'event-in-process'],
    ['while it is with its handlers', { ...DEAD_LETTER, state: 'DISPATCHED' }, 'event-in-process'],
    ['while it waits for a retry', { ...DEAD_LETTER, state: 'RETRYING' }, 'event-in-process'],
    ['while it is dispatched again', { ...FAILED_DELIVERY, state: 'DISPATCHED' }, 'event-in-process'],
    ['while a replay is about to dispatch it', { ...DEAD_LETTER, awaitsReplay: true }, 'event-in-process'],
    ['if it was erased', { ...DEAD_LETTER, erased: true }, 'event-erased'],
    ['if it was discarded', { ...DEAD_LETTER, state: 'DISCARDED' }, 'event-not-failed'],
    ['if it has succeeded', { ...FAILED_DELIVERY, hasFailedDelivery: false }, 'event-not-failed'],
    ['without bound', { ...DEAD_LETTER, revision: MAX_REVISIONS }, 'too-many-revisions'],
    ['while a process of the build before runs', { ...DEAD_LETTER, earlierBuildRuns: true }, 'upgrade-unfinished'],
  ])('but not %s', (_when, standing, code) => {
    expect(refusedRevision(standing)).toMatchObject({ code });
  });
});
