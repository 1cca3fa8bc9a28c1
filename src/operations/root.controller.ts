import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { version } from '../../package.json';
import { servesConsole, servesDocs } from '../config/exposure';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { preferredType } from '../http/accept';
import { consoleDirectory } from '../http/console/console-directory';
import { ApiProblems } from '../http/docs/api-problem';
import { vary } from '../http/vary';
import { RootResponse } from './operations.responses';

const OPERATIONS = { health: '/health', ready: '/ready', metrics: '/metrics' };
const DOCS = { docs: '/docs', openapi: '/docs-json' };
const CONSOLE = { console: '/console' };

/** Names the entry points of this process, and leads browsers to the console, or else to the documentation. */
@ApiTags('operations')
@Controller()
export class RootController {
  private readonly links: RootResponse['links'];

  constructor(@Inject(SETTINGS_TOKEN) settings: Settings) {
    const hasConsole = servesConsole(settings) && consoleDirectory() !== undefined;
    this.links = { ...(hasConsole ? CONSOLE : {}), ...(servesDocs(settings) ? DOCS : {}), ...OPERATIONS };
  }

  @Get()
  @ApiOperation({ operationId: 'getRoot', summary: 'Where is what? Browsers are redirected to the console.' })
  @ApiOkResponse({ description: 'The entry points of this process', type: RootResponse })
  @ApiResponse({
    status: 302,
    description: 'With an Accept header that prefers HTML: to `/console`, or to `/docs` where there is no console',
  })
  @ApiProblems('not-acceptable')
  root(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): RootResponse | undefined {
    const page = this.links.console ?? this.links.docs;
    const offers: ['application/json', ...string[]] = [
      'application/json',
      ...(page === undefined ? [] : ['text/html']),
    ];
    vary(reply, 'Accept');
    if (preferredType(request.headers.accept, offers) === 'text/html' && page !== undefined) {
      reply.status(302).header('Location', page);
      return undefined;
    }
    return { name: 'streamforge', version, links: this.links };
  }
}
