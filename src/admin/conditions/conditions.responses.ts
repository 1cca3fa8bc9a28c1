import { SEVERITIES, type Severity } from '../../destinations/operator/severity';
import {
  ApiAnyObject,
  ApiCount,
  ApiEnum,
  ApiFlag,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiText,
} from '../../http/docs/api-fields';
import { CONDITION_KINDS, type ConditionKind, type Figures } from '../../operator-events/condition';

class ConditionResponse {
  @ApiId({ description: '`incident` of the event that raised it and of the one that will clear it' }) incident!: string;
  @ApiEnum('ConditionKind', CONDITION_KINDS, {
    description: 'Also the type of the event, apart from `receiver.failing`',
  })
  kind!: ConditionKind;
  @ApiEnum('ConditionSeverity', SEVERITIES) severity!: Severity;
  @ApiText(
    'Source till of tenant demo has been silent for 40 minutes. It is expected to send at least every 5 minutes.',
  )
  summary!: string;
  @ApiText('01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', {
    nullable: true,
    description: 'What it is about, such as the id of a source. Null: the installation, or many at once',
  })
  subject!: string | null;
  @ApiText('demo', { nullable: true }) tenantId!: string | null;
  @ApiText('till', { nullable: true }) name!: string | null;
  @ApiInstant({ description: 'Since when it holds' }) since!: string;
  @ApiInstant({ description: 'When it was raised' }) raisedAt!: string;
  @ApiInstant({ nullable: true, description: 'Since when it no longer holds. It is cleared if that lasts' })
  clearingSince!: string | null;
  @ApiFlag(false, { description: 'It comes and goes. It is cleared when it has been over for long' })
  flapping!: boolean;
  @ApiCount(1, { description: 'How many it stands for' }) count!: number;
  @ApiAnyObject(
    { expectEverySeconds: 300, silentSeconds: 2_400 },
    { nullable: true, description: 'What was read last. Null: the build that raised it kept no figures' },
  )
  figures!: Figures | null;
  @ApiText('https://ops.example.com/console/sources/01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', {
    description: 'The page of the console; its path alone while neither `CONSOLE_URL` nor `PUBLIC_URL` is set',
  })
  link!: string;
  @ApiText('/sources/01a20bbe-19c6-756a-9bb1-3e2e8e86f56a', {
    description: 'The same below the address of the console',
  })
  page!: string;
}

export class ConditionsPage {
  @ApiList(ConditionResponse, { description: 'What is raised now, the last one first' })
  conditions!: ConditionResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
