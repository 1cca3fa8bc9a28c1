import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole, requireRole } from '../../access/least-role';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { childPointer } from '../../event/json/json-text';
import { Problem, type ErrorDetail } from '../../event/problems';
import { timeOfDay } from '../../event/time-of-day';
import {
  ApiCount,
  ApiAnyObject,
  ApiEnum,
  ApiFlag,
  ApiInstant,
  ApiJson,
  ApiList,
  ApiObject,
  ApiText,
} from '../../http/docs/api-fields';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { LiveSource } from '../../sources/directory/live-source';
import type { SealedSource } from '../../sources/directory/source';
import type { Mapping } from '../../sources/mapping/mapping';
import { PublicUrl } from '../../sources/request/public-url';
import { ReceivedRequest } from '../../sources/request/received-request';
import {
  TRIAL_OUTCOMES,
  TRIAL_STEPS,
  type Trial,
  type TrialOutcome,
  type TrialStepName,
} from '../../sources/trial/trial';
import { TryRequest } from '../../sources/trial/try-request';
import { ProviderKeys } from '../../sources/verification/provider-keys';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { mappingErrors } from './rules/check-mapping';
import { invalid } from './rules/schema-check';
import { SourceTestRequest } from './source-test.requests';
import { Sources } from './sources';
import { SourcePath } from './sources.requests';

class TestStepResponse {
  @ApiEnum('SourceTestStep', TRIAL_STEPS) step!: TrialStepName;
  @ApiFlag(true) ok!: boolean;
  @ApiText('The request is verified.') text!: string;
  @ApiAnyObject({ missing: 'header:x-signature' }, { required: false }) data?: object;
}
class TestAnswerResponse {
  @ApiCount(200) status!: number;
  @ApiText('OK', { required: false }) body?: string;
  @ApiText('text/plain', { required: false }) contentType?: string;
}
class TestedEventResponse {
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiText('evt_1') eventId!: string;
  @ApiInstant() occurredAt!: string;
  @ApiText('order-1001') partitionKey!: string;
  @ApiJson({ id: 'evt_1' }) payload: unknown = undefined;
}
class SourceTestResponse {
  @ApiList(TestStepResponse) steps!: TestStepResponse[];
  @ApiEnum('SourceTestOutcome', TRIAL_OUTCOMES) outcome!: TrialOutcome;
  @ApiObject(TestAnswerResponse, { description: 'The response that the provider would get' })
  answer!: TestAnswerResponse;
  @ApiList(TestedEventResponse, { description: 'The first 20 events' }) events!: TestedEventResponse[];
}

@AdminEndpoint()
@Controller('v1/admin/sources')
export class SourceTestController {
  constructor(
    private readonly sources: Sources,
    private readonly attempt: TryRequest,
    private readonly key: SecretKey,
    private readonly providerKeys: ProviderKeys,
    private readonly url: PublicUrl,
  ) {}

  @Post(':id/test')
  @LeastRole('support')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'testSource',
    summary: 'Say what a request to a source would lead to, step by step. Nothing is stored.',
  })
  @ApiOkResponse({ type: SourceTestResponse })
  @ApiProblems('source-not-found', 'role-insufficient', ...BODY_PROBLEMS)
  async test(
    @Param() { id }: SourcePath,
    @Body() body: SourceTestRequest,
    @Acting() acting: ActingOperator,
  ): Promise<Trial> {
    if (body.mapping) requireRole(acting, 'operator');
    const row = await this.sources.find(id, acting);
    const source = new LiveSource(withMapping(row, body.mapping), await this.key.box(), this.providerKeys);
    const received = receivedOf(body, this.url.ofSource(`…${row.tokenHint}`), source.jsonField);
    return this.attempt.run(source, received, acting.correlationId);
  }
}

/** @throws Problem `invalid-request` */
function withMapping(row: SealedSource, mapping: Mapping | undefined): SealedSource {
  if (mapping === undefined) return row;
  const errors = mappingErrors(mapping);
  if (errors.length > 0) throw new Problem('invalid-request', 'The mapping is invalid. See `errors`.', { errors });
  return { ...row, mapping };
}

function receivedOf(request: SourceTestRequest, url: string, jsonField: string | undefined): ReceivedRequest {
  const { method, path, body, bodyBase64, address, receivedAt } = request;
  const errors = [...textErrors(request.headers, '/headers'), ...textErrors(request.query, '/query')];
  if (body !== undefined && bodyBase64 !== undefined)
    errors.push(invalid('/bodyBase64', 'must not be sent beside body'));
  if (errors.length > 0) throw new Problem('invalid-request', 'The request is invalid. See `errors`.', { errors });
  const headers = Object.entries(request.headers as Record<string, string>);
  return new ReceivedRequest(
    {
      method,
      path,
      url: request.url ?? url + path,
      query: request.query as Record<string, string | string[]>,
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
      body: bodyBase64 === undefined ? Buffer.from(body ?? '') : Buffer.from(bodyBase64, 'base64'),
      address,
      receivedAt: receivedAt === undefined ? timeOfDay() : new Date(receivedAt),
    },
    jsonField,
  );
}

function textErrors(values: Record<string, unknown>, pointer: string): ErrorDetail[] {
  return Object.entries(values)
    .filter(([, value]) => ![value].flat().every((one) => typeof one === 'string'))
    .map(([name]) => invalid(childPointer(pointer, name), 'must be a text'));
}
