import type { WayBack } from '../../verify/faults/schedule';
import type { Breach } from '../../verify/oracle/violation';
import type { NoticedByVerify } from '../deliberate-fault';

/** Even seeds run without the reconciler (docs/verify.md). */
const WITHOUT_RECONCILER = 2;
const WITH_RECONCILER = 3;
const CALM_SECONDS = 20;
const DISTURBED_SECONDS = 35;
/** PostgreSQL goes back after the load, and brings load of its own. */
const SECONDS_BEFORE = 10;

/** A run without faults, so that no fault can explain a violation. */
export const calm = (...breaches: Breach[]): NoticedByVerify => ({
  seed: WITHOUT_RECONCILER,
  seconds: CALM_SECONDS,
  kinds: [],
  breaches,
});

export const calmWithReconciler = (...breaches: Breach[]): NoticedByVerify => ({
  ...calm(...breaches),
  seed: WITH_RECONCILER,
});

/** A run with faults of these kinds. */
export const under = (kinds: readonly string[], ...breaches: Breach[]): NoticedByVerify => ({
  seed: WITHOUT_RECONCILER,
  seconds: DISTURBED_SECONDS,
  kinds,
  breaches,
});

/** A run at whose end PostgreSQL goes back in time, without other faults. */
export const goingBack = (way: WayBack, ...breaches: Breach[]): NoticedByVerify => ({
  seed: WITHOUT_RECONCILER,
  seconds: SECONDS_BEFORE,
  kinds: [`${way}-postgres`],
  breaches,
});
