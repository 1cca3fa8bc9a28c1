import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * On whose share of MAX_BUFFER_BYTES the body counts while it arrives: that of a tenant, or of the operators. Set
     * before the body is read. Undefined while nobody knows the sender.
     */
    bodyOwner?: string;
  }
}

/** These are no tenant ids. */
export const OPERATORS = '(operators)';
const STRANGERS = '(strangers)';

/**
 * Returns the owner of a body. Whoever is not known yet shares one part of the memory with everybody else who is not, so
 * strangers who fill it leave the rest to the tenants.
 */
export const bodyOwnerOf = ({ bodyOwner }: Pick<FastifyRequest, 'bodyOwner'>): string => bodyOwner ?? STRANGERS;
