import type { FastifyReply } from 'fastify';

/** Adds the name of a request header that the response depends on. Others, such as that of CORS, stay. */
export function vary(reply: FastifyReply, name: string): void {
  const others = reply.getHeader('vary');
  reply.header('Vary', others === undefined ? name : `${String(others)}, ${name}`);
}
