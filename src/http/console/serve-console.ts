import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../event/problems';
import { sendProblem } from '../problem.filter';
import { vary } from '../vary';
import { staticFile, type StaticFile } from './static-file';

/**
 * The page runs its own files and calls its own origin, and nothing else: no inline script or style, no other host, no
 * frame around it, no form that a browser would send by itself.
 */
const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache', // asked for again each time, since the next build has other files
};

/** The name of a file has a hash of its content. */
const ASSET_HEADERS = {
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'public, max-age=31536000, immutable',
};

/**
 * Serves the console below /console from memory. Every path below it is a page of the console, apart from the files in
 * /console/assets.
 *
 * @param directory what the build of the console has written
 */
export function serveConsole(server: FastifyInstance, directory: string): void {
  const page = staticFile(path.join(directory, 'index.html'));
  const assets = new Map(
    readdirSync(path.join(directory, 'assets')).map((name) => [name, staticFile(path.join(directory, 'assets', name))]),
  );
  for (const url of ['/console', '/console/*']) {
    server.get(url, (request, reply) => send(request, reply, page(), PAGE_HEADERS));
  }
  server.get<{ Params: { '*': string } }>('/console/assets/*', (request, reply) => {
    const asset = assets.get(request.params['*']);
    if (asset) send(request, reply, asset(), ASSET_HEADERS);
    else sendProblem(reply, request.id, new Problem('route-not-found', 'This build of the console has no such file.'));
  });
}

function send(request: FastifyRequest, reply: FastifyReply, file: StaticFile, headers: Record<string, string>): void {
  reply.headers({ ...headers, ETag: file.etag });
  vary(reply, 'Accept-Encoding');
  if (request.headers['if-none-match'] === file.etag) {
    void reply.status(304).send();
    return;
  }
  const isGzipped = takesGzip(request.headers['accept-encoding']);
  if (isGzipped) reply.header('Content-Encoding', 'gzip');
  void reply.type(file.type).send(isGzipped ? file.gzipped : file.body);
}

/** `gzip;q=0` refuses it. */
const takesGzip = (accepted = ''): boolean => /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accepted);
