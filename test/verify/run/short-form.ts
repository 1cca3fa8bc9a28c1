/**
 * The run that `npm test` makes. Its faults include every hostile neighbour (on broker and cache, name servers, readers,
 * disk) and what happens in real houses, apart from connections to RabbitMQ that are forgotten, which takes too long. At its
 * end, a standby without the last commits takes over.
 */
export const SHORT_FORM = { seed: 20_482_536, seconds: 35 } as const;
