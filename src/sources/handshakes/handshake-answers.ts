import { Injectable } from '@nestjs/common';
import type { SourceRules } from '../live-source';
import type { ReceivedRequest } from '../received-request';
import type { SourceAnswer } from '../answers';

@Injectable()
export class HandshakeAnswers {
  async answer(
    _r: ReceivedRequest,
    _rules: SourceRules,
    _verified: boolean,
  ): Promise<(SourceAnswer & { headers?: Record<string, string> }) | undefined> {
    return undefined;
  }
}
