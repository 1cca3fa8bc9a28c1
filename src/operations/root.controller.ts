import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { version } from '../../package.json';
import { servesDocs } from '../config/exposure';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { preferredType } from '../http/accept';
import { ApiProblems } from '../http/docs/api-problem';
import { RootResponse } from './operations.responses';

const OPERATIONS = { health: '/health', ready: '/ready', metrics: '/metrics' };
const DOCS = { docs: '/docs', openapi: '/docs-json' };

/** Names the entry points of this process, and leads browsers to the documentation. */
@ApiTags('operations')
@Controller()
export class RootController {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Settings) {}

  @Get()
  @ApiOperation({ operationId: 'getRoot', summary: 'Where is what? Browsers are redirected to the documentation.' })
  @ApiOkResponse({ description: 'The entry points of this process', type: RootResponse })
  @ApiResponse({ status: 302, description: 'With an Accept header that prefers HTML: to `/docs`' })
  @ApiProblems('not-acceptable')
  root(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): RootResponse | undefined {
    const hasDocs = servesDocs(this.settings);
    const offers = ['application/json', ...(hasDocs ? ['text/html'] : [])] as ['application/json', ...string[]];
    const varied = reply.getHeader('vary'); // with CORS: Origin
    reply.header('Vary', varied === undefined ? 'Accept' : `${String(varied)}, Accept`);
    if (preferredType(request.headers.accept, offers) === 'text/html') {
      reply.status(302).header('Location', DOCS.docs);
      return undefined;
    }
    return { name: 'streamforge', version, links: { ...(hasDocs ? DOCS : {}), ...OPERATIONS } };
  }
}
