import { IsBoolean, IsInt, Max, Min, ValidateBy } from 'class-validator';
import { ApiAnyObject, ApiCount, ApiEnum, ApiFlag, ApiObject } from '../../http/docs/api-fields';
import type { ActiveHours } from '../../silence/active-hours';
import { faultOfActiveHours } from '../../silence/check-active-hours';
import { MayBeLeftOut, MayBeNull } from '../endpoint/rules';

const EXPECT_SECONDS = { min: 60, max: 31_536_000 };
const HOURS_EXAMPLE = {
  timeZone: 'Europe/Berlin',
  weekdays: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  from: '09:00',
  to: '18:00',
};

export function AreActiveHours(): PropertyDecorator {
  return ValidateBy({
    name: 'areActiveHours',
    validator: {
      validate: (value) => faultOfActiveHours(value) === undefined,
      defaultMessage: (args) => `$property ${faultOfActiveHours(args?.value) ?? 'must be active hours'}`,
    },
  });
}

/** What may be expected of a source, or of a type. */
export class SilenceFields {
  @ApiCount(3_600, {
    required: false,
    nullable: true,
    description: 'Something is expected at least this often, in seconds of active hours. Null: no expectation',
    minimum: EXPECT_SECONDS.min,
    maximum: EXPECT_SECONDS.max,
  })
  @MayBeNull()
  @IsInt()
  @Min(EXPECT_SECONDS.min)
  @Max(EXPECT_SECONDS.max)
  expectEverySeconds?: number | null;

  @ApiAnyObject(HOURS_EXAMPLE, {
    required: false,
    nullable: true,
    description:
      'Outside of these hours nothing counts as silence: `timeZone` (IANA), `weekdays` (left out: every day), `from` and ' +
      '`to` (HH:MM of the local day; not after `from`: of the next day). Null: always',
  })
  @MayBeNull()
  @AreActiveHours()
  activeHours?: ActiveHours | null;

  @ApiFlag(false, {
    required: false,
    description:
      'What gaps are usual at each hour of the week is learned, and a silence of twice that is told. Takes four weeks. ' +
      'The week is that of the time zone of `activeHours`, or of UTC',
  })
  @MayBeLeftOut()
  @IsBoolean()
  learnSilence?: boolean;
}

class LearnedSilenceResponse {
  @ApiEnum('LearnedSilenceState', ['learning', 'learned'], { description: 'While it learns, nothing is told' })
  state!: 'learning' | 'learned';
  @ApiCount(2, { description: 'Whole weeks of data, up to `weeksNeeded`' }) weeks!: number;
  @ApiCount(4) weeksNeeded!: number;
}

export class SilenceResponse {
  @ApiCount(3_600, { nullable: true }) expectEverySeconds!: number | null;
  @ApiAnyObject(HOURS_EXAMPLE, { nullable: true, description: 'Null: always' }) activeHours!: ActiveHours | null;
  @ApiFlag(false) learnSilence!: boolean;
  @ApiObject(LearnedSilenceResponse, { nullable: true, description: 'Null: nothing is learned' })
  learned!: LearnedSilenceResponse | null;
}
