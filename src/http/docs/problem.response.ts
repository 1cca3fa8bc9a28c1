import { ApiSchema } from '@nestjs/swagger';
import { PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import { ApiCount, ApiEnum, ApiFlag, ApiList, ApiObject, ApiText } from './api-fields';

class ProblemDetail {
  @ApiText('/subject', { description: 'JSON Pointer to what is wrong' }) pointer!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: ProblemCode;
  @ApiText('subject must be a string') message!: string;
}

/** How many records of a stream had which result: records = accepted + duplicates + rejected. */
export class StreamCounts {
  @ApiCount(3) records!: number;
  @ApiCount(1) accepted!: number;
  @ApiCount(1) duplicates!: number;
  @ApiCount(1) rejected!: number;
  @ApiCount(812, { description: 'Bytes of the stream, decompressed' }) bytes!: number;
}

/** The body of every refusal (RFC 9457). */
@ApiSchema({ name: 'Problem' })
export class ProblemResponse {
  @ApiText('urn:streamforge:problem:invalid-request') type!: string;
  @ApiText('The request breaks a rule of this endpoint') title!: string;
  @ApiCount(400, { minimum: 400, maximum: 599 }) status!: number;
  @ApiText() detail!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES, { description: 'Stable; clients branch on it' }) code!: ProblemCode;
  @ApiFlag(false, { description: 'True when the same request may succeed later' }) retryable!: boolean;
  @ApiText('c-1') correlationId!: string;
  @ApiList(ProblemDetail, { required: false, description: 'Which places are wrong' }) errors?: ProblemDetail[];
  @ApiObject(StreamCounts, { required: false, description: 'What was stored of a stream that broke off' })
  summary?: StreamCounts;
  @ApiCount(2, { required: false, description: 'The last record of such a stream whose result is final' })
  lastCommittedRecord?: number;
}
