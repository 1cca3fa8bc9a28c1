import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Who sends the request, as far as it is known before the body is read: a tenant, or the operators. Undefined for
     * strangers. Admits nobody.
     */
    knownAs?: string | undefined;
  }
}

/** These are no tenant ids. */
export const KNOWN_OPERATORS = '(operators)';
const STRANGERS = '(strangers)';

/**
 * Returns on whose share of MAX_BUFFER_BYTES the body of a request counts while it arrives. Strangers have one share
 * together, so those who fill it leave the rest to the tenants.
 */
export const bodyOwnerOf = ({ knownAs }: Pick<FastifyRequest, 'knownAs'>): string => knownAs ?? STRANGERS;
