import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { Pool } from 'pg';
import type { SealedDestination } from '../../destinations/destination';
import { Senders } from '../../destinations/senders';
import { listDestinations } from '../../destinations/destinations.queries';
import type { RevisedEvent } from '../../revisions/revised-event';
import { Problem } from '../../event/problems';
import { parseUuid } from '../../event/uuid-v7';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { scopeOf } from '../../access/tenant-scope';
import { NoBody, NoQuery } from '../endpoint/no-input';
import {
  DestinationResponse,
  DestinationWithHealth,
  DestinationsPage,
  NewSecretResponse,
  TestDeliveryResponse,
} from './destinations.responses';
import { refuseInvalidRules } from './check-destination';
import { DestinationView } from './destination-view';
import {
  DestinationByUidRequest,
  DestinationChangeRequest,
  DestinationPath,
  DestinationRequest,
  DestinationsQuery,
  DestinationUidPath,
  TestDestinationRequest,
} from './destinations.requests';
import { RotateSecretRequest } from './rotation.requests';
import { readHealth } from './health/destination-health';
import { sendStoredEvent, sendTestEvent } from './send-test-event';
import { findStoredEvent, findStoredEventByEventId } from './stored-event.queries';
import { Destinations } from './destinations';

const DESTINATION_EXAMPLE = { tenantId: 'demo', url: 'https://example.com/hooks/orders', eventTypes: ['order.*'] };
const LARGE_ORDERS = {
  ...DESTINATION_EXAMPLE,
  filter: { payload: { amount: { $gt: 100 } } },
  transform: '{ "text": "Order " & subject & ": " & $string(payload.amount) }',
  headers: { 'x-api-version': '2' },
  auth: { type: 'bearer', token: 'token-of-the-receiver' },
};
const CLOUD_EVENTS = { ...DESTINATION_EXAMPLE, format: 'cloudevents-binary' };
const EXAMPLES = {
  orders: { value: DESTINATION_EXAMPLE },
  largeOrders: { value: LARGE_ORDERS },
  cloudEvents: { value: CLOUD_EVENTS },
};
const CREATION_PROBLEMS = ['tenant-not-found', 'too-many-destinations', 'already-exists', ...BODY_PROBLEMS] as const;

@AdminEndpoint()
@Controller('v1/admin/destinations')
export class DestinationsController {
  constructor(
    private readonly pool: Pool,
    private readonly destinations: Destinations,
    private readonly view: DestinationView,
    private readonly senders: Senders,
  ) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listDestinations',
    summary: 'List the destinations of one tenant or of all tenants, newest first.',
  })
  @ApiOkResponse({ type: DestinationsPage })
  async list(
    @Query() { tenantId, cursor, limit }: DestinationsQuery,
    @Acting() acting: ActingOperator,
  ): Promise<DestinationsPage> {
    const page = await listDestinations(this.pool, { ...scopeOf(acting, tenantId), before: cursor, limit });
    const last = page.at(-1);
    return { destinations: await this.view.showAll(page), nextCursor: last && page.length === limit ? last.id : null };
  }

  @Post()
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'createDestination',
    summary: 'Create a destination. Its secret is returned only in this response.',
    description: 'The destination receives every matching event that is accepted after this response.',
  })
  @ApiBody({ type: DestinationRequest, examples: EXAMPLES })
  @ApiProblems(...CREATION_PROBLEMS)
  @ApiCreatedResponse({ type: NewSecretResponse })
  async create(@Body() body: DestinationRequest, @Acting() acting: ActingOperator): Promise<NewSecretResponse> {
    const { destination, secret } = await this.destinations.create(body, acting);
    return { ...(await this.view.show(destination)), secret };
  }

  @Put('uid/:uid')
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'putDestination',
    summary: 'Create the destination that a tenant calls `uid`, or replace its fields.',
    description:
      'Fields that are left out get their defaults, apart from `secret`, `headers` and `auth`, which stay. If the `url` ' +
      'gets another origin, `headers` and `auth` that exist must be given again, or null. The response to a creation ' +
      'has the `secret`.',
  })
  @ApiBody({ type: DestinationByUidRequest, examples: EXAMPLES })
  @ApiProblems(...CREATION_PROBLEMS)
  @ApiCreatedResponse({ type: NewSecretResponse })
  @ApiOkResponse({ type: DestinationResponse })
  async put(
    @Param() { uid }: DestinationUidPath,
    @Body() body: DestinationByUidRequest,
    @Acting() acting: ActingOperator,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DestinationResponse | NewSecretResponse> {
    const put = await this.destinations.put(uid, body, acting);
    const shown = await this.view.show(put.destination);
    reply.status('secret' in put ? 201 : 200);
    return 'secret' in put ? { ...shown, secret: put.secret } : shown;
  }

  @Get(':id')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getDestination',
    summary: 'Retrieve a destination and its health. The response does not contain its secret.',
  })
  @ApiOkResponse({ type: DestinationWithHealth })
  @ApiProblems('destination-not-found')
  async read(@Param() { id }: DestinationPath, @Acting() acting: ActingOperator): Promise<DestinationWithHealth> {
    const found = await this.destinations.find(id, acting);
    return { ...(await this.view.show(found)), health: await readHealth(this.pool, id) };
  }

  @Patch(':id')
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'changeDestination',
    summary:
      'Update the given fields of a destination. Any change closes its circuit, so the next delivery is attempted at once.',
    description:
      'If the `url` gets another origin, `headers` and `auth` that exist must be given again, or null: they would be ' +
      'sent to another receiver.',
  })
  @ApiOkResponse({ type: DestinationResponse })
  @ApiProblems('destination-not-found', ...BODY_PROBLEMS)
  async change(
    @Param() { id }: DestinationPath,
    @Body() body: DestinationChangeRequest,
    @Acting() acting: ActingOperator,
  ): Promise<DestinationResponse> {
    return this.view.show(await this.destinations.change(id, body, acting));
  }

  @Delete(':id')
  @LeastRole('operator')
  @HttpCode(204)
  @NoBody()
  @ApiOperation({
    operationId: 'deleteDestination',
    summary: 'Delete a destination. Its open deliveries become SKIPPED.',
  })
  @ApiNoContentResponse()
  @ApiProblems('destination-not-found')
  async delete(@Param() { id }: DestinationPath, @Acting() acting: ActingOperator): Promise<void> {
    await this.destinations.delete(id, acting);
  }

  @Post(':id/test')
  @LeastRole('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'testDestination',
    summary: 'Send a test event, or a stored one, to a destination and return its response.',
    description:
      'Works for a disabled destination too, so that filter, transform and format can be tried out before it is enabled. ' +
      'Nothing is stored or retried. A stored event that does not match is not sent. It has the `webhook-id` of its ' +
      'delivery, so a receiver that remembers ids will ignore the delivery that follows. With `dryRun`, nothing is sent. ' +
      'A `filter` or `transform` of the request is tried in place of the stored one.',
  })
  @ApiBody({
    type: TestDestinationRequest,
    required: false,
    examples: {
      madeUp: { value: {} },
      stored: { value: { eventId: 'paid-1' } },
      tried: { value: { eventId: 'paid-1', transform: '{ "text": subject }', dryRun: true } },
    },
  })
  @ApiOkResponse({ type: TestDeliveryResponse })
  @ApiProblems('destination-not-found', 'event-not-found', 'event-erased', ...BODY_PROBLEMS)
  async test(
    @Param() { id }: DestinationPath,
    @Body() { eventId, dryRun, ...rules }: TestDestinationRequest,
    @Acting() acting: ActingOperator,
  ): Promise<TestDeliveryResponse> {
    const destination = withRules(await this.destinations.find(id, acting), rules);
    const test = { destination, dryRun };
    if (eventId === undefined) return sendTestEvent(this.senders, test, acting.correlationId);
    return sendStoredEvent(this.senders, test, await storedEvent(this.pool, destination.tenantId, eventId));
  }

  @Post(':id/rotate-secret')
  @LeastRole('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rotateDestinationSecret',
    summary:
      'Change the secret to a new one, or to one of your own. Deliveries are signed with both secrets for `overlapSeconds`.',
  })
  @ApiBody({ type: RotateSecretRequest, required: false })
  @ApiOkResponse({ type: NewSecretResponse })
  @ApiProblems('destination-not-found', ...BODY_PROBLEMS)
  async rotate(
    @Param() { id }: DestinationPath,
    @Body() body: RotateSecretRequest,
    @Acting() acting: ActingOperator,
  ): Promise<NewSecretResponse> {
    const { destination, secret } = await this.destinations.rotate(id, body, acting);
    return { ...(await this.view.show(destination)), secret };
  }
}

/** The destination with the rules that are tried. What is left out stays. @throws Problem `invalid-request` */
function withRules(
  destination: SealedDestination,
  {
    filter = destination.filter,
    transform = destination.transform,
  }: Partial<Pick<SealedDestination, 'filter' | 'transform'>>,
): SealedDestination {
  refuseInvalidRules({ filter, transform });
  return { ...destination, filter, transform };
}

/** Finds an event by its id or else by the producer's. @throws Problem `event-not-found` or `event-erased` */
async function storedEvent(pool: Pool, tenantId: string, reference: string): Promise<RevisedEvent> {
  const id = parseUuid(reference);
  const found =
    (id === undefined ? undefined : await findStoredEvent(pool, tenantId, id)) ??
    (await findStoredEventByEventId(pool, tenantId, reference));
  if (!found) throw new Problem('event-not-found', 'The tenant of the destination has no event with this id.');
  if (found === 'erased') throw new Problem('event-erased', 'The payload of this event was erased. Test another one.');
  return found;
}
