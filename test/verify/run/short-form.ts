/** The run that `npm test` makes. Its faults include every hostile neighbour: on broker and cache, name servers, readers, disk. */
export const SHORT_FORM = { seed: 20_261_322, seconds: 35 } as const;
