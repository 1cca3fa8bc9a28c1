import type { Breach } from '../violation';

/** A violation without the names of its event and destination. */
export type Finding = readonly [breach: Breach, text: string];
