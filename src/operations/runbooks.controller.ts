import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { didYouMean } from '../event/did-you-mean';
import { Problem } from '../event/problems';
import { ApiProblems } from '../http/docs/api-problem';

/** Serves the sections of docs/observability.md that the annotation `runbook_url` of the alerts names. */
@ApiTags('operations')
@Controller('runbooks')
export class RunbooksController {
  private readonly sections = sectionsOf(readPage());

  @Get(':alert')
  @ApiOperation({ operationId: 'getRunbook', summary: 'What an alert means, and what to do about it.' })
  @ApiParam({ name: 'alert', description: 'Name of the alert', type: String, example: 'StreamForgeBacklogOld' })
  @ApiOkResponse({ description: 'The section in Markdown', content: { 'text/plain': { schema: { type: 'string' } } } })
  @ApiProblems('route-not-found')
  read(@Param('alert') alert: string, @Res({ passthrough: true }) reply: FastifyReply): string {
    const section = this.sections.get(alert);
    if (section === undefined) throw noSuchAlert(alert, [...this.sections.keys()]);
    reply.type('text/plain; charset=utf-8');
    return section;
  }
}

function noSuchAlert(alert: string, known: readonly string[]): Problem {
  const meant = didYouMean(alert, known);
  return new Problem('route-not-found', `No alert has this name.${meant ? ` Did you mean ${meant}?` : ''}`);
}

/** The page is at the same place beside `src` and beside `dist`. An installation may lack it; then it has no runbooks. */
function readPage(): string {
  const roots = [path.resolve(__dirname, '../..'), path.resolve(__dirname, '../../..')];
  const page = roots.map((root) => path.join(root, 'docs', 'observability.md')).find(existsSync);
  return page === undefined ? '' : readFileSync(page, 'utf8');
}

/** Returns the sections whose heading is one word, by that word. */
function sectionsOf(page: string): Map<string, string> {
  const parts = page.split(/^(?=#{1,3} )/m);
  return new Map(
    parts.flatMap((part): [string, string][] => {
      const alert = /^### (\w+)\n/.exec(part)?.[1];
      return alert === undefined ? [] : [[alert, part.trimEnd() + '\n']];
    }),
  );
}
