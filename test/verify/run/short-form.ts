/**
 * The run that `npm test` makes. Its faults include every hostile neighbour (on broker and cache, name servers, readers,
 * disk) and what happens in real houses, apart from connections to RabbitMQ that are forgotten, which takes too long.
 */
export const SHORT_FORM = { seed: 20_290_306, seconds: 35 } as const;
